"""Claiming, retrying and setting aside of messages in the outbox."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, case, exists, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from models import clock, queue
from models.clock import Moment
from models.customs import CustomsLetter, CustomsMessage, add_note, column_text
from models.database import NO_SYNC
from models.database.locks import Lock, wait_for
from models.vocabulary import Delivery

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Pace(queue.Pace):
    """Lease and back-off towards customs. Transport failures do not count towards `tries`."""

    silent: float = 300  # without a heartbeat, deliverers are assumed dead and messages overdue after this time
    unanswered: float = 3 * 24 * 3600  # after which a person may record the answer to a message by hand
    per_minute: int = 90  # rate limit; the E-port accepts fewer than 100

    def unanswered_since(self) -> datetime:
        """Messages sent before this moment without an answer are 久未回执."""
        return clock.now() - timedelta(seconds=self.unanswered)


def claim(session: Session, pace: Pace) -> CustomsMessage | None:
    """Claim the next due message for a lease and record the attempt; None when none is due. Commits.

    Marked as sent before sending: after a crash we must assume that it was delivered. A message waits only for earlier
    ones of the same certificate (grant before revoke).
    """
    wait_for(session, Lock.CLAIM)  # concurrent claims would exceed the rate limit
    now = clock.now()
    # An upper bound too: a machine whose clock is far ahead must not stop the others.
    last_minute = CustomsLetter.at.between(now - MINUTE, now + MINUTE)
    lately = session.scalar(select(func.count(CustomsLetter.id)).where(last_minute)) or 0
    key = _claim_next(session, now, pace) if lately < pace.per_minute else None
    if key is None:
        session.rollback()
        return None
    message = session.get_one(CustomsMessage, key, populate_existing=True)
    letter = CustomsLetter(
        application_id=message.application_id, attempt=message.attempts, at=now, asks=message.must_query
    )
    message.letters.append(letter)
    session.commit()
    return message


def _claim_next(session: Session, now: datetime, pace: Pace) -> int | None:
    row, earlier = aliased(CustomsMessage), aliased(CustomsMessage)
    before = exists().where(
        earlier.certificate_id == row.certificate_id, earlier.id < row.id, earlier.answered_at.is_(None)
    )
    claiming = queue.claiming(CustomsMessage, row, now, pace, row.answered_at.is_(None), ~before).values(
        sent_in=func.coalesce(CustomsMessage.sent_in, CustomsMessage.attempts + 1),
        sent_at=func.coalesce(CustomsMessage.sent_at, literal(now, Moment())),
    )
    return session.scalar(claiming.returning(CustomsMessage.id), **NO_SYNC)


def save_letter(session: Session, message: CustomsMessage, raw: bytes) -> None:
    """Store the bytes of the current attempt before they are sent. Commits."""
    this = (CustomsLetter.customs_message_id == message.id, CustomsLetter.attempt == message.attempts)
    session.execute(update(CustomsLetter).where(*this).values(raw=raw), **NO_SYNC)
    session.commit()


def end_attempt(
    session: Session, key: int, attempt: int, why: str, pace: Pace, sent: bool = True, fault: bool = False
) -> None:
    """Release the claim of `attempt`, and no newer one; retry after a pause. Commits.

    The retry is at once when a receipt has meanwhile reported the message as not received. `why`: the reason, noted
    unless empty (a receipt has given it); `sent`: it may have been delivered; `fault`: counts towards setting aside.
    """
    message = session.get_one(CustomsMessage, key, populate_existing=True)
    now, pause = literal(clock.now(), Moment()), literal(pace.after(message.attempts - message.released), Moment())
    values: dict[str, Any] = {"claimed_until": None, "answer": column_text(why)} if why else {"claimed_until": None}
    values["next_at"] = case((CustomsMessage.sent_in.is_(None), now), else_=pause)
    if not sent:
        values |= {"sent_in": None, "sent_at": None, "next_at": pause}
    if fault:
        values |= _failure_values(pace, why, _("稍后重试。"))
    still_claimed = (CustomsMessage.attempts == attempt, CustomsMessage.claimed_until.is_not(None))
    if _update_open(session, key, values, *still_claimed) and why:
        add_note(session, message, why)
    session.commit()


def requeue(session: Session, key: int, query_attempt: int, why: str, pace: Pace) -> bool:
    """Customs answered the query of `query_attempt` with "not received": resend at once. The caller commits.

    False when the message is not sent, or was first sent after that query. A running claim is not ended.
    """
    values = {"sent_in": None, "sent_at": None, "next_at": clock.now()} | _failure_values(pace, why, _("将再次发送。"))
    return _update_open(session, key, values, CustomsMessage.sent_in < query_attempt)


def count_failure(session: Session, key: int, why: str, pace: Pace) -> bool:
    """Count a reported transport failure; a query follows. False when the message is not sent. The caller commits."""
    return _update_open(
        session, key, _failure_values(pace, why, _("稍后先查询是否收到。")), CustomsMessage.sent_in.is_not(None)
    )


def mark_forwarded(session: Session, key: int, words: str) -> bool:
    """A receipt reports delivery: query, do not resend. False when already answered; the caller commits."""
    values = {
        "answer": column_text(words),
        "sent_in": func.coalesce(CustomsMessage.sent_in, CustomsMessage.attempts),
        "sent_at": func.coalesce(CustomsMessage.sent_at, literal(clock.now(), Moment())),
    }
    return _update_open(session, key, values)


def query_unsent(session: Session) -> None:
    """After a restore: query before sending, since messages unsent in the backup may have been sent since. The caller
    commits."""
    waiting = update(CustomsMessage).where(CustomsMessage.answered_at.is_(None), CustomsMessage.sent_in.is_(None))
    session.execute(waiting.values(sent_in=CustomsMessage.attempts, sent_at=clock.now()), **NO_SYNC)


def release(session: Session, message: CustomsMessage) -> bool:
    """Make a set-aside message due at once and reset its faults; False when it is not set aside. The caller commits."""
    return _update_open(
        session, message.id, queue.release_values(CustomsMessage), CustomsMessage.state == Delivery.SET_ASIDE
    )


def query_now(session: Session, message: CustomsMessage) -> bool:
    """Make the status query of a sent message due at once; False when not sent, or already due. The caller commits."""
    later = CustomsMessage.next_at > clock.now()
    return _update_open(session, message.id, {"next_at": clock.now()}, CustomsMessage.state == Delivery.SENT, later)


def set_aside(session: Session, message: CustomsMessage) -> bool:
    """Stop querying a sent message; receipts still count. False when it is not sent. The caller commits."""
    return _update_open(session, message.id, {"set_aside_at": clock.now()}, CustomsMessage.state == Delivery.SENT)


def count_undelivered(session: Session) -> int:
    """How many messages were tried, and neither delivered nor set aside."""
    tried = (CustomsMessage.state == Delivery.QUEUED, CustomsMessage.attempts > 0)
    return session.scalar(select(func.count(CustomsMessage.id)).where(*tried)) or 0


def _failure_values(pace: Pace, why: str, then: str) -> dict[str, Any]:
    return queue.failure_values(CustomsMessage, pace, column_text(why), then, _("已搁置，待放行。"))


def _update_open(session: Session, key: int, values: dict[str, Any], *which: ColumnElement[bool]) -> bool:
    """Update an open message if the conditions `which` still hold; returns whether they did."""
    still = update(CustomsMessage).where(CustomsMessage.id == key, CustomsMessage.answered_at.is_(None), *which)
    return session.execute(still.values(values), **NO_SYNC).rowcount == 1  # type: ignore[attr-defined]
