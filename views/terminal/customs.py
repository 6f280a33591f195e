"""Commands customs …: deliver messages, compare ledgers, simulate customs."""

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app
from flask_babel import gettext as _

from models import access
from models.customs import outbox, reconciliation
from models.customs.envelope import Parties
from models.customs.receipt import CustomsReceipt
from models.customs.schema import message_xsd
from models.exchange import delivery
from models.exchange.delivery import Channel
from models.exchange.transports import Gateway, Http, tls_context
from models.exchange.transports.folders import FolderPair
from models.exchange.transports.timed_connection import HERE
from models.log import Operation
from models.workflow import Refused
from views.demo import simulator_transports
from views.demo.simulator import Customs
from views.resources import keys, pace
from views.terminal.group import Terminal, run_rounds
from views.terminal.logged import note_and_commit

exchange = Terminal("customs", help="海关报文：投递、模拟海关、对账。")


@exchange.command("deliver", help="把待发报文送交海关并登记回执；仍有未送达的报文时以状态 1 退出。")
@click.option("--watch", is_flag=True, help="持续运行，新报文入列即送。")
def deliver(watch: bool) -> None:
    current, before = channel(), set[str]()

    def deliver_once() -> None:
        nonlocal before
        lines = set[str]()
        for line in delivery.deliver(session, current):
            if line not in before:  # repeated lines, as of a gateway that is down, are printed once
                click.echo(line)
            lines.add(line)
        before = lines

    with access.everything() as session:
        run_rounds(session, deliver_once, watch, sends=True)
        if not watch and (left := outbox.count_undelivered(session)):
            raise Refused(_("还有 %(count)s 份报文没有送达，请查看原因后再次运行。", count=left))


@exchange.command(help="与海关台账逐份核对（可指定日期），列出全部差异；有差异时以状态 1 退出。")
@click.argument("day", metavar="[DATE]", required=False, type=click.DateTime(["%Y-%m-%d"]))
def reconcile(day: datetime | None) -> None:
    """May also be run while sending is held after a restore (models/customs/hold.py)."""
    with access.everything() as session:
        row = reconciliation.reconcile(session, gateway().ledger, day.date() if day else None)
        note_and_commit(session, Operation.RECONCILED, f"{day:%Y-%m-%d}" if day else "", row.found)
        for name, kind in row.differences_of():
            click.echo(f"{name}：{kind.label}。")
        if row.found:
            click.echo(_("共 %(count)s 处差异，请逐项核实。", count=row.found), err=True)
            raise SystemExit(1)
    click.echo(_("双方台账一致。"))


@exchange.command(help="输出业务报文的 XSD 格式定义，供对方核对。")
def schema() -> None:
    click.echo(message_xsd().decode(), nl=False)


@exchange.command("receipt", help="按编号原样输出一份回执（编号见数据交换中的「无法识别的回执」）。")
@click.argument("key", metavar="ID", type=int)
def show_receipt(key: int) -> None:
    with access.everything() as session:
        row = session.get(CustomsReceipt, key)
        if row is None:
            raise Refused(_("没有编号为 %(key)s 的回执，请核对编号。", key=key))
        click.echo(row.raw, nl=False)


@exchange.command(
    help="启动模拟海关，供试用；不是真正的海关。商品名称含“测试拒收”的不接收，含“测试等待”的不给回执，含“测试核销”的随即核注、核销。"
)
@click.option("--port", default=8090, show_default=True, help="HTTP 端口")
@click.option("--folder", type=click.Path(path_type=Path), help="改用文件夹方式，指定交换文件夹")
@click.option("--ledger", type=click.Path(path_type=Path), help="模拟海关自己的台账文件")
def simulate(port: int, folder: Path | None, ledger: Path | None) -> None:
    """A real counterpart over HTTP, on this machine only, or over a folder pair."""
    home = Path(current_app.instance_path)
    customs = Customs(ledger or home / "simulated-customs.sqlite", keys().trusted())
    if folder:
        pair = FolderPair(home / folder)
        click.echo(_("模拟海关（不是真正的海关）已启动，交换文件夹 %(folder)s。", folder=pair.folder))
        while True:
            simulator_transports.process_folders(customs, pair)
            time.sleep(simulator_transports.POLL)
    server = simulator_transports.serve(customs, port)
    address = f"http://127.0.0.1:{server.server_port}"
    click.echo(_("模拟海关（不是真正的海关）已启动，请设置 FILING_CUSTOMS_GATEWAY=%(address)s。", address=address))
    server.serve_forever()


def gateway() -> Gateway:
    """The gateway of CUSTOMS_GATEWAY; without that setting, exits with a sentence and status 2."""
    if address := current_app.config["CUSTOMS_GATEWAY"]:
        return gateway_of(str(address), Path(current_app.instance_path), current_app.config)
    click.echo(_("尚未设置海关网关，请设置 FILING_CUSTOMS_GATEWAY 后再试。"), err=True)
    raise SystemExit(2)


def gateway_of(address: str, home: Path, settings: Mapping[str, Any]) -> Gateway:
    """`folder:PATH` (relative to `home`), `https://…` or, on this machine, `http://…`; `settings` name PEM files."""
    if address.startswith("folder:"):
        return FolderPair(home / address.removeprefix("folder:"))
    if address.startswith("https://"):
        return Http(address, tls_context(settings))
    if not address.startswith("http://"):
        raise Refused(_("FILING_CUSTOMS_GATEWAY 应为 folder:文件夹 或 https://地址，请改正后再试。"))
    if urlsplit(address).hostname not in HERE:
        raise Refused(_("http:// 没有加密，只能用于本机；请把 FILING_CUSTOMS_GATEWAY 改为 https://地址 后再试。"))
    return Http(address)


def channel() -> Channel:
    """The channel to customs, by the settings."""
    parties = Parties(str(current_app.config["CUSTOMS_SENDER"]), str(current_app.config["CUSTOMS_RECEIVER"]))
    return Channel(gateway(), keys(), parties, pace())
