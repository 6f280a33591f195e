"""投递: what is due goes out, what has come in is noted. Any number of processes may do this at the same time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import clock, inbox, letter, outbox, signature
from models.customs import CustomsMessage
from models.letter import Parties
from models.outbox import Pace
from models.seal import Keys
from models.workflow import Refused
from views.gateway import Gateway, NoAnswer

SILENCES = 3  # so many unanswered letters on end, and the rest wait for the next round


@dataclass(frozen=True)
class Way:
    """How this house speaks with customs: by what way, signed with which keys, under which names, how patiently."""

    gateway: Gateway
    keys: Keys
    parties: Parties
    pace: Pace


def deliver(session: Session, way: Way) -> Iterator[str]:
    """One round: receipts first, then every message that is due; a line for each. One that fails stops no other."""
    yield from collect(session, way)
    silent = 0
    while silent < SILENCES and (due := outbox.claim(session, way.pace)):
        name = due.message_id
        outcome, heard = attempt(session, way, due)
        silent = 0 if heard else silent + 1
        yield f"{name}：{outcome}"


def collect(session: Session, way: Way) -> Iterator[str]:
    """Note every receipt that waits, and those whose reader died; each is dropped only when it is kept here."""
    for key in inbox.unread(session):
        yield from _spared(session, lambda key=key: inbox.read(session, key, way.pace))  # type: ignore[misc]
    try:
        for name, raw in way.gateway.receipts():
            yield from _spared(session, lambda name=name, raw=raw: _collected(session, way, name, raw))  # type: ignore[misc]
    except NoAnswer as silence:
        yield str(silence)


def _collected(session: Session, way: Way, name: str, raw: bytes) -> list[str]:
    lines = inbox.take(session, name, raw, way.pace)
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


def attempt(session: Session, way: Way, due: CustomsMessage) -> tuple[str, bool]:
    """Send a claimed message, or ask for it where it may have arrived: (what came of it, whether customs was heard)."""
    key, name, attempts, asking, turn = due.id, due.message_id, due.attempts, due.unsure, f"{due.tried_at}"
    sent = heard = asking
    fault = told = False
    try:
        title, content = written(due, way)
        session.commit()  # nothing is held while customs thinks
        sent = heard = True
        reply = way.gateway.send(title, content)
        lines = inbox.take(session, title, reply, way.pace, turn) if reply is not None else []
        told = any(line.startswith(name) for line in lines)
        fault, why = reply is not None and not told, "；".join(lines) or _("已送出，等待回执。")
    except NoAnswer as silence:
        sent, fault, heard = asking or silence.sent, silence.fault, silence.fault
        why = _("未送达，稍后重试。%(why)s", why=silence)
    except Exception as broken:  # whatever one message meets, the others go on
        fault, heard = True, True
        why = _("未送达，稍后重试。%(why)s", why=_reason(broken))
    session.rollback()
    outbox.postpone(session, key, attempts, "" if told else why, way.pace, sent, fault)
    return why.removeprefix(f"{name}："), heard


def written(due: CustomsMessage, way: Way) -> tuple[str, bytes]:
    """(name, letter): the message itself, or the question what became of it; signed by its province."""
    try:
        signer = way.keys.signer(due.application.province or "")
    except Refused as keyless:
        raise NoAnswer(str(keyless), sent=False) from None
    name, kind, moment = due.message_id, letter.CERTIFICATE, due.queued_at
    if due.unsure:
        data, kind, moment = letter.question_xml(name), letter.QUESTION, clock.now()
        name = f"{name}-Q{due.attempts}"
    else:
        data = letter.business_xml(due)
    return name, letter.enveloped(name, kind, moment, data, way.parties, signature.cms(signer, data))


def _reason(broken: Exception) -> str:
    return str(broken) if isinstance(broken, Refused) else f"{type(broken).__name__}: {broken}"
