"""投递: sends due messages and processes receipts. Any number of processes may do this at the same time."""

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

SILENCES = 3  # consecutive letters without an answer after which the round ends


@dataclass(frozen=True)
class Channel:
    """Everything needed to exchange messages with customs: transport, keys, E-port numbers, lease and back-off."""

    gateway: Gateway
    keys: Keys
    parties: Parties
    pace: Pace


@dataclass(frozen=True)
class Outcome:
    """Outcome of one attempt, in words.

    `sent`: the message may have been delivered; `fault`: the message itself is at fault; `answered`: customs answered;
    `noted`: the answer was a receipt, which has recorded its words already.
    """

    words: str
    sent: bool = True
    fault: bool = False
    answered: bool = True
    noted: bool = False


def deliver(session: Session, channel: Channel) -> Iterator[str]:
    """One round: receipts, then all due messages; yields a line each. A failure does not stop the rest. Commits."""
    heartbeat.record(session)
    yield from collect(session, channel)
    silent = 0
    while silent < SILENCES and (due := outbox.claim(session, channel.pace)):
        key, name, number = due.id, due.message_id, due.attempts
        outcome = attempt(session, channel, due)
        outbox.end_attempt(
            session, key, number, "" if outcome.noted else outcome.words, channel.pace, outcome.sent, outcome.fault
        )
        heartbeat.record(session)
        silent = 0 if outcome.answered else silent + 1
        yield f"{name}：{outcome.words}"


def collect(session: Session, channel: Channel) -> Iterator[str]:
    """Process stored receipts left unprocessed by a crash, then fetch new ones; yields a line for each. Commits.

    A receipt is deleted at customs only after it is stored. Errors become lines, so that sending continues.
    """
    for key in receipt.unread(session, channel.pace.longest):
        yield from _errors_as_lines(session, lambda key=key: inbox.process(session, key, channel.pace))  # type: ignore[misc]
    try:
        for name, raw in channel.gateway.receipts():
            yield from _errors_as_lines(session, lambda name=name, raw=raw: _receive(session, channel, name, raw))  # type: ignore[misc]
    except NoAnswer as silence:
        yield str(silence)


def _receive(session: Session, channel: Channel, name: str, raw: bytes | None) -> list[str]:
    """Store and process a receipt, then delete it at customs, unless it is unreadable (None) or was stored cut."""
    lines = inbox.store_and_process(session, name, raw or b"", channel.pace, "" if raw else name)
    if raw is not None and len(raw) < receipt.MOST:
        channel.gateway.drop(name)
    return lines


def _errors_as_lines(session: Session, work: Callable[[], list[str]]) -> list[str]:
    """The lines of `work`; an error other than NoAnswer is rolled back and becomes a line."""
    try:
        return work()
    except NoAnswer:
        raise
    except Exception as broken:
        session.rollback()
        return [inbox.failure_line(broken)]


def attempt(session: Session, channel: Channel, due: CustomsMessage) -> Outcome:
    """Send a claimed message, or its query if it may have been delivered. Commits; leaves no transaction open."""
    name, number, querying, until = due.message_id, due.attempts, due.must_query, due.claimed_until
    half = timedelta(seconds=channel.pace.lease / 2)  # reserved for the transport
    try:
        title, content = build_letter(due, channel)
        outbox.save_letter(session, due, content)  # commits: no transaction is open while customs answers
        if until is None or clock.now() + half > until:  # another worker could claim it and query before it arrives
            raise NoAnswer(_("办理时限已过。"), sent=False)
        reply = channel.gateway.send(title, content)
    except NoAnswer as silence:
        return _unanswered(silence, querying)
    except SQLAlchemyError:
        raise
    except Exception as broken:  # an error with one message must not stop the others
        return Outcome(_("报文无法写成。%(why)s", why=inbox.reason_of(broken)), sent=querying, fault=True)
    finally:
        session.rollback()
    if reply is None:
        return Outcome(_("已送出，等待回执。"))
    lines = _errors_as_lines(
        session, lambda: inbox.store_and_process(session, _("即时应答"), reply, channel.pace, f"{title} {number}")
    )
    if any(line.startswith(f"{name}：") for line in lines):
        return Outcome("；".join(lines).removeprefix(f"{name}："), noted=True)
    return Outcome(_("没有得到可用的应答，稍后先查询是否收到。") + "；".join(lines), answered=False)


def _unanswered(silence: NoAnswer, querying: bool) -> Outcome:
    """A fault of the message only when customs says so by its status; otherwise of the transport (answered=False)."""
    sent = querying or silence.sent
    if silence.fault:
        return Outcome(_("海关拒收报文。%(why)s", why=silence), sent, fault=True)
    then = _("没有得到应答，稍后先查询是否收到。") if sent else _("未送达，稍后重试。")
    return Outcome(f"{then}{silence}", sent, answered=False)


def build_letter(due: CustomsMessage, channel: Channel) -> tuple[str, bytes]:
    """(name, bytes) of the message or of its status query, signed by its province; raises NoAnswer without keys."""
    try:
        signer = channel.keys.signer(due.application.province or "")
    except Refused:
        who = due.application.authority
        keyless = _("%(who)s的签章密钥不可用，报文不能签名发送，请联系系统管理员检查密钥。", who=who)
        raise NoAnswer(keyless, sent=False) from None
    name, kind, moment = due.message_id, envelope.CERTIFICATE, due.queued_at
    if due.must_query:
        data, kind, moment = envelope.question_xml(name), envelope.QUESTION, clock.now()
        name = f"{name}-Q{due.attempts}"
    else:
        data = envelope.business_xml(due)
    return name, envelope.enveloped(
        name, kind, moment, data, channel.parties, signatures.cms(signer.pyhanko_signer, data)
    )
