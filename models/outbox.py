"""The way out: who gets which message to send, when it is tried again, and when it is set aside."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session, aliased

from models import clock
from models.clock import Moment
from models.customs import DELIVERIES, QUIETLY, CustomsMessage, note, said
from models.vocabulary import Delivery

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Pace:
    """How patient we are: seconds, but for `tries` (faults of its own after which a message is set aside; those of the
    way to customs do not count) and `per_minute` (E-port takes fewer than 100 a minute)."""

    lease: float = 120  # a deliverer that says nothing for so long is taken for dead
    pause: float = 5  # the first; each is twice the one before
    longest: float = 3600
    overdue: float = 3600
    tries: int = 10
    per_minute: int = 90

    def after(self, attempts: int) -> datetime:
        """When to try again, after so many attempts; no two deliverers in step."""
        seconds = min(self.pause * 2 ** min(max(attempts, 1) - 1, 20), self.longest)
        return clock.now() + timedelta(seconds=seconds * random.uniform(0.8, 1.2))


def claim(session: Session, pace: Pace) -> CustomsMessage | None:
    """The next due message, ours for a lease; of many deliverers one gets it. Commits, and so counts the attempt.

    From here on it counts as sent, for whoever dies now cannot tell. A message waits for those before it of the same
    certificate (grant before revoke), for no other.
    """
    due, earlier, now = aliased(CustomsMessage), aliased(CustomsMessage), clock.now()
    before = exists().where(
        earlier.certificate_id == due.certificate_id, earlier.id < due.id, earlier.answered_at.is_(None)
    )
    lately = select(func.count()).select_from(CustomsMessage).where(CustomsMessage.tried_at > now - MINUTE)
    next_one = (
        select(due.id)
        .where(due.answered_at.is_(None), due.set_aside_at.is_(None), due.next_at <= now, ~before)
        .where(or_(due.claimed_until.is_(None), due.claimed_until <= now))
        .where(lately.scalar_subquery() < pace.per_minute)
        .order_by(due.next_at, due.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=due)  # PostgreSQL; SQLite has one writer at a time anyway
    )
    taking = update(CustomsMessage).where(CustomsMessage.id == next_one.scalar_subquery())
    values = {
        "attempts": CustomsMessage.attempts + 1,
        "claimed_until": now + timedelta(seconds=pace.lease),
        "tried_at": now,
        "sent_at": func.coalesce(CustomsMessage.sent_at, literal(now, Moment())),
    }
    key = session.scalar(taking.values(values).returning(CustomsMessage.id), **QUIETLY)
    session.commit()
    return None if key is None else session.get_one(CustomsMessage, key)


def postpone(
    session: Session, key: int, attempts: int, why: str, pace: Pace, sent: bool = True, fault: bool = False
) -> None:
    """Give a claim back: try again after a pause. `attempts` tells whether the claim is still ours; commits.

    `why` is empty where a receipt has said it; `sent`: it may have arrived; `fault`: the message's own, which counts
    towards setting it aside.
    """
    ours = (CustomsMessage.attempts == attempts, CustomsMessage.claimed_until.is_not(None))
    if _put_off(session, key, ours, why, pace.after(attempts), pace, sent, fault) and why:
        note(session, session.get_one(CustomsMessage, key), why)
    session.commit()


def take_back(session: Session, message: CustomsMessage, why: str, pace: Pace, at_once: bool) -> bool:
    """A receipt says that customs does not have it: send it again. False when it is not out; the caller commits."""
    when = clock.now() if at_once else pace.after(message.attempts)
    out = (CustomsMessage.sent_at.is_not(None),)
    return _put_off(session, message.id, out, why, when, pace, sent=False, fault=True)


def handed_on(session: Session, message: CustomsMessage, words: str) -> bool:
    """A receipt says that it is with customs: ask, do not send. False when it is answered; the caller commits."""
    still_open = (CustomsMessage.id == message.id, CustomsMessage.answered_at.is_(None))
    values = {"answer": said(words), "sent_at": func.coalesce(CustomsMessage.sent_at, literal(clock.now(), Moment()))}
    return session.execute(update(CustomsMessage).where(*still_open).values(values), **QUIETLY).rowcount == 1  # type: ignore[attr-defined]


def _put_off(
    session: Session,
    key: int,
    which: tuple[ColumnElement[bool], ...],
    why: str,
    when: datetime,
    pace: Pace,
    sent: bool,
    fault: bool,
) -> bool:
    faults, now = CustomsMessage.faults + int(fault), literal(clock.now(), Moment())
    values: dict[str, Any] = {"next_at": when, "claimed_until": None, "faults": faults}
    if why:
        values["answer"] = said(why)
    values["set_aside_at"] = case((faults >= pace.tries, now), else_=None)
    if not sent:
        values["sent_at"] = None
    ours = update(CustomsMessage).where(CustomsMessage.id == key, CustomsMessage.answered_at.is_(None), *which)
    return session.execute(ours.values(values), **QUIETLY).rowcount == 1  # type: ignore[attr-defined]


def free(session: Session, message: CustomsMessage) -> bool:
    """Try a message anew that was set aside, its count from nought; False when it is not. The caller commits."""
    aside = update(CustomsMessage).where(CustomsMessage.id == message.id, DELIVERIES[Delivery.SET_ASIDE])
    values = {"set_aside_at": None, "faults": 0, "attempts": 0, "next_at": clock.now(), "claimed_until": None}
    return session.execute(aside.values(values), **QUIETLY).rowcount == 1  # type: ignore[attr-defined]
