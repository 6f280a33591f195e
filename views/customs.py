"""海关报文: sends what is in the outbox to CUSTOMS_GATEWAY and to nothing else, notes the answers, compares ledgers."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import access, customs, filing
from models.customs import CustomsMessage
from models.workflow import Refused
from views import simulator
from views.terminal import Terminal

TIMEOUT, POLL = 20, 2  # seconds
MOST = 64 << 20

exchange = Terminal("customs", help="海关报文：投递、模拟海关、对账。")


class NoAnswer(Refused):
    """Customs did not answer, or not in the agreed form: the message is sent again."""


@exchange.command("deliver", help="把待发报文送交海关并登记回执。")
@click.option("--watch", is_flag=True, help="持续运行，新报文入列即送。")
def send(watch: bool) -> None:
    """Everything that is due, once or for ever."""
    address = gateway()
    with access.everything() as session:
        while True:
            for line in deliver(session, address):
                click.echo(line)
            if not watch:
                return
            time.sleep(POLL)


@exchange.command(help="启动模拟海关，供试用和测试；不是真正的海关。")
@click.option("--port", default=8090, show_default=True, help="端口")
def simulate(port: int) -> None:
    """A real counterpart over HTTP, on this machine only."""
    server = simulator.serve(Path(current_app.instance_path) / "simulated-customs.sqlite", port)
    address = f"http://127.0.0.1:{server.server_port}"
    click.echo(_("模拟海关（不是真正的海关）已启动，请设置 FILING_CUSTOMS_GATEWAY=%(address)s。", address=address))
    server.serve_forever()


@exchange.command(help="与海关台账逐份核对，列出全部差异；有差异时以状态 1 退出。")
def reconcile() -> None:
    """Both ledgers, both ways."""
    address = gateway()
    with access.everything() as session:
        found = list(differences(session, address))
    for line in found:
        click.echo(line)
    if found:
        raise Refused(_("共 %(count)s 处差异，请逐项核实。", count=len(found)))
    click.echo(_("双方台账一致。"))


def gateway() -> str:
    """The one address that anything is sent to; without it, a sentence and status 2."""
    if address := current_app.config["CUSTOMS_GATEWAY"]:
        return str(address)
    click.echo(_("尚未设置海关网关，请设置 FILING_CUSTOMS_GATEWAY 后再试。"), err=True)
    raise SystemExit(2)


def deliver(session: Session, address: str) -> Iterator[str]:
    """Send every message that is due and tell of each; one that fails waits, the others go on (CU1)."""
    while message := customs.claim(session):
        key, name, attempts = message.id, message.message_id, message.attempts
        try:
            outcome = _exchanged(session, address, message)
        except Exception as broken:  # whatever one message meets, the others go on
            session.rollback()
            why = str(broken) if isinstance(broken, Refused) else f"{type(broken).__name__}: {broken}"
            outcome = _("未送达，稍后重试。%(why)s", why=why)
            customs.postpone(session, key, attempts, outcome)
        yield f"{name}：{outcome}"


def _exchanged(session: Session, address: str, message: CustomsMessage) -> str:
    key, name, body = message.id, message.message_id, customs.business_xml(message)
    session.commit()  # nothing is held while customs thinks
    accepted, words = answer(ask(address, "POST", body, {"Message-Id": name}), name)
    note(session, key, accepted, words)
    return f"{_('接收成功') if accepted else _('接收失败')} {words}"


def note(session: Session, key: int, accepted: bool, words: str) -> None:
    """What customs answered: on the message, and on the application if its status waits for it; in one transaction."""
    if customs.settle(session, accepted, words, CustomsMessage.id == key):
        try:
            filing.customs_replied(session, session.get_one(CustomsMessage, key).application, accepted, words)
        except filing.Conflict:
            raise  # somebody acted in between, and all is rolled back: ask again, customs repeats its answer
        except Refused:
            pass  # revoked, or revoking: the answer is kept, the status stays
    session.commit()


def ask(address: str, method: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """One request, to this address alone: http.client follows no redirect and no proxy."""
    parts = urlsplit(address)
    line = (HTTPSConnection if parts.scheme == "https" else HTTPConnection)(parts.netloc, timeout=TIMEOUT)
    try:
        line.request(method, parts.path or "/", body, {"Content-Type": "application/xml"} | (headers or {}))
        reply = line.getresponse()
        if reply.status != 200:
            raise NoAnswer(_("海关网关应答状态 %(status)s。", status=reply.status))
        return reply.read(MOST)
    except (OSError, HTTPException) as broken:
        raise NoAnswer(_("海关网关没有应答（%(why)s）。", why=broken or type(broken).__name__)) from broken
    finally:
        line.close()


def answer(raw: bytes, name: str) -> tuple[bool, str]:
    """`{"message_id", "accepted", "code", "words"}` about this very message; anything else is no answer."""
    match _read(raw):
        case {"message_id": str(about), "accepted": bool(accepted), "code": str(code), "words": str(words)}:
            if about == name:
                return accepted, f"{code} {words}".strip()
    raise _strange()


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise _strange() from None


def _strange() -> NoAnswer:
    return NoAnswer(_("海关网关的应答不符合约定格式。"))


def differences(session: Session, address: str) -> Iterator[str]:
    """Ours against theirs, both ways. Ours is read before and after: what moves meanwhile is no difference."""
    before, entries = customs.ledger(session), _read(ask(address, "GET"))
    session.commit()
    after = customs.ledger(session)
    try:
        theirs = {entry["message_id"]: entry["accepted"] for entry in entries}
    except (TypeError, KeyError):
        raise _strange() from None
    for name, accepted in before.items():
        if accepted is not None and name not in theirs:
            yield _("%(name)s：我方已有回执，海关台账中没有。", name=name)
    for name, accepted in theirs.items():
        if name not in after:
            yield _("%(name)s：海关台账中有，我方没有发送记录。", name=name)
        elif after[name] is None:
            yield _("%(name)s：海关已有结果，我方尚未登记回执，请运行 customs deliver。", name=name)
        elif after[name] is not accepted:
            yield _("%(name)s：双方记录的接收结果不同。", name=name)
