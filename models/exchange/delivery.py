"""投递: what is due goes out, what has come in is noted. Any number of processes may do this at the same time."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock
from models.customs import CustomsMessage, envelope, heartbeat, outbox, receipt
from models.customs.envelope import Parties
from models.customs.outbox import Pace
from models.exchange import inbox
from models.exchange.transports import Gateway, NoAnswer
from models.signing import signatures
from models.signing.keys import Keys
from models.workflow import Refused

LOG = logging.getLogger(__name__)
SILENCES = 3  # so many unanswered letters on end, and the rest wait for the next round


@dataclass(frozen=True)
class Way:
    """How this house speaks with customs: by what way, signed with which keys, under which names, how patiently."""

    gateway: Gateway
    keys: Keys
    parties: Parties
    pace: Pace


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt, in words; `noted` where a receipt has said it, and it stands beside the message.

    `sent`: it may have arrived; `fault`: the message's own; `heard`: customs spoke.
    """

    words: str
    sent: bool = True
    fault: bool = False
    heard: bool = True
    noted: bool = False


def deliver(session: Session, way: Way) -> Iterator[str]:
    """One round: receipts first, then every message that is due; a line for each. One that fails stops no other."""
    heartbeat.beat(session)
    yield from collect(session, way)
    silent = 0
    while silent < SILENCES and (due := outbox.claim(session, way.pace)):
        key, name, turn = due.id, due.message_id, due.attempts
        outcome = attempt(session, way, due)
        outbox.postpone(
            session, key, turn, "" if outcome.noted else outcome.words, way.pace, outcome.sent, outcome.fault
        )
        heartbeat.beat(session)
        silent = 0 if outcome.heard else silent + 1
        yield f"{name}：{outcome.words}"


def collect(session: Session, way: Way) -> Iterator[str]:
    """Note every receipt that waits, and those whose reader died; each is dropped only when it is kept here.

    Nothing that lies in the way stops what is to be sent.
    """
    for key in inbox.unread(session):
        yield from _spared(session, lambda key=key: inbox.read(session, key, way.pace))  # type: ignore[misc]
    try:
        for name, raw in way.gateway.receipts():
            yield from _spared(session, lambda name=name, raw=raw: _collected(session, way, name, raw))  # type: ignore[misc]
    except NoAnswer as silence:
        yield str(silence)


def _collected(session: Session, way: Way, name: str, raw: bytes | None) -> list[str]:
    """What cannot be read, or is too long to be kept whole, stays where it is, and is told of once."""
    lines = inbox.take(session, name, raw or b"", way.pace, "" if raw else name)
    if raw is not None and len(raw) < receipt.MOST:
        way.gateway.drop(name)
    return lines


def _spared(session: Session, work: Callable[[], list[str]]) -> list[str]:
    """The lines of one piece of work; whatever it meets, the others go on."""
    try:
        return work()
    except NoAnswer:
        raise
    except Exception as broken:
        session.rollback()
        return [_("回执未能登记，稍后再试。%(why)s", why=_reason(broken))]


def attempt(session: Session, way: Way, due: CustomsMessage) -> Outcome:
    """Send a claimed message, or ask for it where it may have arrived; leaves no transaction open."""
    name, turn, asking, until = due.message_id, due.attempts, due.unsure, due.claimed_until
    half = timedelta(seconds=way.pace.lease / 2)  # the other half is for the letter to arrive in
    try:
        title, content = written(due, way)
        outbox.write(session, due, content)  # nothing is held while customs thinks
        if until is None or clock.now() + half > until:  # soon it may be another's, who asks before it is there
            raise NoAnswer(_("办理时限已过。"), sent=False)
        reply = way.gateway.send(title, content)
    except NoAnswer as silence:
        return _unanswered(silence, asking)
    except SQLAlchemyError:
        raise
    except Exception as broken:  # whatever one message meets, the others go on
        return Outcome(_("报文无法写成。%(why)s", why=_reason(broken)), sent=asking, fault=True)
    finally:
        session.rollback()
    if reply is None:
        return Outcome(_("已送出，等待回执。"))
    lines = _spared(session, lambda: inbox.take(session, _("即时应答"), reply, way.pace, f"{title} {turn}"))
    said = [line for line in lines if line.startswith(f"{name}：")]
    if said:
        return Outcome("；".join(lines).removeprefix(f"{name}："), noted=True)
    return Outcome(_("没有得到可用的应答，稍后先查询是否收到。") + "；".join(lines), heard=False)


def _unanswered(silence: NoAnswer, asking: bool) -> Outcome:
    """The message is to blame only where customs says so; else the way is, and the rest of the round is spared."""
    sent = asking or silence.sent
    if silence.fault:
        return Outcome(_("海关拒收报文。%(why)s", why=silence), sent, fault=True)
    then = _("没有得到应答，稍后先查询是否收到。") if sent else _("未送达，稍后重试。")
    return Outcome(f"{then}{silence}", sent, heard=False)


def written(due: CustomsMessage, way: Way) -> tuple[str, bytes]:
    """(name, letter): the message itself, or the question what became of it; signed by its province."""
    try:
        signer = way.keys.signer(due.application.province or "")
    except Refused:
        who = due.application.authority
        keyless = _("%(who)s的签章密钥不可用，报文不能签名发送，请联系系统管理员检查密钥。", who=who)
        raise NoAnswer(keyless, sent=False) from None
    name, kind, moment = due.message_id, envelope.CERTIFICATE, due.queued_at
    if due.unsure:
        data, kind, moment = envelope.question_xml(name), envelope.QUESTION, clock.now()
        name = f"{name}-Q{due.attempts}"
    else:
        data = envelope.business_xml(due)
    return name, envelope.enveloped(name, kind, moment, data, way.parties, signatures.cms(signer, data))


def _reason(broken: Exception) -> str:
    """A refusal in its own words; of anything else the kind, for its words are for the log."""
    if isinstance(broken, Refused):
        return str(broken)
    LOG.error("an exchange with customs failed", exc_info=broken)
    return type(broken).__name__
