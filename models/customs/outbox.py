"""The way out: who gets which message to send, when it is tried again, and when it is set aside."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, case, exists, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from models import clock, numbering, queue
from models.clock import Moment
from models.customs import DELIVERIES, QUIETLY, CustomsLetter, CustomsMessage, note, said
from models.vocabulary import Delivery

MINUTE = timedelta(minutes=1)
LETTERS = "LETTER"  # the series of letters, whose row lets one deliverer claim at a time


@dataclass(frozen=True)
class Pace(queue.Pace):
    """How patient we are with customs. Faults of the way to customs do not count towards `tries`."""

    silent: float = 300  # without a sign of life of a deliverer; then a message is overdue after so long
    unanswered: float = 3 * 24 * 3600  # after which a person may settle a message that customs has not answered
    per_minute: int = 90  # E-port takes fewer than 100

    def unanswered_since(self) -> datetime:
        """What was sent before this moment, and has no answer, is shown as 久未回执."""
        return clock.now() - timedelta(seconds=self.unanswered)


def claim(session: Session, pace: Pace) -> CustomsMessage | None:
    """The next due message, ours for a lease; of many deliverers one gets it. Commits, and so records the attempt.

    From here on it counts as sent, for whoever dies now cannot tell. A message waits for those before it of the same
    certificate (grant before revoke), for no other.
    """
    numbering.reserve(session, LETTERS, 0)  # one at a time: together they would overshoot the minute
    now = clock.now()
    lately = session.scalar(select(func.count(CustomsLetter.id)).where(CustomsLetter.at > now - MINUTE)) or 0
    key = _taken(session, now, now + timedelta(seconds=pace.lease)) if lately < pace.per_minute else None
    if key is None:
        session.rollback()
        return None
    message = session.get_one(CustomsMessage, key, populate_existing=True)
    letter = CustomsLetter(application_id=message.application_id, attempt=message.attempts, at=now, asks=message.unsure)
    message.letters.append(letter)
    session.commit()
    return message


def _taken(session: Session, now: datetime, until: datetime) -> int | None:
    due, earlier = aliased(CustomsMessage), aliased(CustomsMessage)
    before = exists().where(
        earlier.certificate_id == due.certificate_id, earlier.id < due.id, earlier.answered_at.is_(None)
    )
    next_one = (
        select(due.id)
        .where(due.answered_at.is_(None), queue.due(due, now), ~before)
        .order_by(due.next_at, due.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=due)  # PostgreSQL; SQLite has one writer at a time anyway
    )
    taking = update(CustomsMessage).where(CustomsMessage.id == next_one.scalar_subquery())
    values = queue.claiming(CustomsMessage, until) | {
        "sent_in": func.coalesce(CustomsMessage.sent_in, CustomsMessage.attempts + 1),
        "sent_at": func.coalesce(CustomsMessage.sent_at, literal(now, Moment())),
    }
    return session.scalar(taking.values(values).returning(CustomsMessage.id), **QUIETLY)


def write(session: Session, message: CustomsMessage, raw: bytes) -> None:
    """Keep the letter of the present attempt as it is about to leave; commits."""
    this = (CustomsLetter.customs_message_id == message.id, CustomsLetter.attempt == message.attempts)
    session.execute(update(CustomsLetter).where(*this).values(raw=raw), **QUIETLY)
    session.commit()


def postpone(
    session: Session, key: int, attempt: int, why: str, pace: Pace, sent: bool = True, fault: bool = False
) -> None:
    """Give a claim back: try again after a pause, or at once where customs has said meanwhile that it is not there.

    `attempt` is the one it was claimed for: another's claim is left alone. `why` is empty where a receipt has said it;
    `sent`: it may have arrived; `fault`: the message's own, which counts towards setting it aside. Commits.
    """
    message = session.get_one(CustomsMessage, key, populate_existing=True)
    now, pause = literal(clock.now(), Moment()), literal(pace.after(message.attempts - message.released), Moment())
    values: dict[str, Any] = {"claimed_until": None, "answer": said(why)} if why else {"claimed_until": None}
    values["next_at"] = case((CustomsMessage.sent_in.is_(None), now), else_=pause)
    if not sent:
        values |= {"sent_in": None, "sent_at": None, "next_at": pause}
    if fault:
        values |= _blamed(pace, why, _("稍后重试。"))
    ours = (CustomsMessage.attempts == attempt, CustomsMessage.claimed_until.is_not(None))
    if _changed(session, key, values, *ours) and why:
        note(session, message, why)
    session.commit()


def requeue(session: Session, key: int, asked_in: int, why: str, pace: Pace) -> bool:
    """Customs, asked in attempt `asked_in`, does not have it: send it again, at once. The caller commits.

    False when it is not out, or went out later: the answer is about another letter. A claim stays whose it is.
    """
    values = {"sent_in": None, "sent_at": None, "next_at": clock.now()} | _blamed(pace, why, _("将再次发送。"))
    return _changed(session, key, values, CustomsMessage.sent_in < asked_in)


def count_failure(session: Session, key: int, why: str, pace: Pace) -> bool:
    """A letter did not get through, and customs is asked next. False when none is out; the caller commits."""
    return _changed(session, key, _blamed(pace, why, _("稍后先查询是否收到。")), CustomsMessage.sent_in.is_not(None))


def mark_forwarded(session: Session, key: int, words: str) -> bool:
    """A receipt says that it is with customs: ask, do not send. False when it is answered; the caller commits."""
    values = {
        "answer": said(words),
        "sent_in": func.coalesce(CustomsMessage.sent_in, CustomsMessage.attempts),
        "sent_at": func.coalesce(CustomsMessage.sent_at, literal(clock.now(), Moment())),
    }
    return _changed(session, key, values)


def free(session: Session, message: CustomsMessage) -> bool:
    """Try a message anew that was set aside, its count from nought; False when it is not. The caller commits."""
    return _changed(session, message.id, queue.releasing(CustomsMessage), DELIVERIES[Delivery.SET_ASIDE])


def ask_now(session: Session, message: CustomsMessage) -> bool:
    """Have a message that is out asked for at once; False when it is not, or is due already. The caller commits."""
    later = CustomsMessage.next_at > clock.now()
    return _changed(session, message.id, {"next_at": clock.now()}, DELIVERIES[Delivery.SENT], later)


def set_aside(session: Session, message: CustomsMessage) -> bool:
    """Ask no more for a message that is out; a receipt still counts. False when it is not. The caller commits."""
    return _changed(session, message.id, {"set_aside_at": clock.now()}, DELIVERIES[Delivery.SENT])


def _blamed(pace: Pace, why: str, then: str) -> dict[str, Any]:
    """One fault more, at most one an attempt; too many set the message aside."""
    return queue.one_fault_more(CustomsMessage, pace, said(why), then, _("已搁置，待放行。"))


def _changed(session: Session, key: int, values: dict[str, Any], *which: ColumnElement[bool]) -> bool:
    """Change an open message, if it is still as `which` says."""
    still = update(CustomsMessage).where(CustomsMessage.id == key, CustomsMessage.answered_at.is_(None), *which)
    return session.execute(still.values(values), **QUIETLY).rowcount == 1  # type: ignore[attr-defined]
