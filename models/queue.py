"""Common part of the queues in the database: lease, retry with back-off, dead letter (outbox, paper_queue, letters).

A worker claims a row by one UPDATE, for the time of a lease. The lease of a worker that dies expires; a worker that
fails releases the row, which is retried after a pause; after `tries` faults the row is set aside (已搁置).
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Text, Update, and_, case, func, literal, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import NO_SYNC

AHEAD = timedelta(minutes=1)  # the clocks of several machines may differ by this much
LONGEST_ANSWER = 450  # characters of the reason, before the sentence that says the next step


@dataclass(frozen=True)
class Pace:
    """Lease and back-off of a queue, in seconds; `tries`: faults of the row itself after which it is set aside."""

    lease: float = 120  # after that the worker is assumed dead
    pause: float = 5  # before the first retry; doubled each time, up to `longest`
    longest: float = 3600
    overdue: float = 3600  # a row that waits longer is reported
    tries: int = 10

    def after(self, attempts: int) -> datetime:
        """When to retry after this many attempts; ±20 % at random, so that workers do not retry in step."""
        seconds = min(self.pause * 2 ** min(max(attempts, 1) - 1, 20), self.longest)
        return clock.now() + timedelta(seconds=seconds * random.uniform(0.8, 1.2))


class Queued:
    """The columns of a row that waits in a queue."""

    id: Mapped[int]
    queued_at: Mapped[datetime] = mapped_column(Moment, index=True, info={"label": _l("入列时间")})
    next_at: Mapped[datetime] = mapped_column(Moment, default=clock.now, info={"label": _l("下次办理")})
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0, info={"label": _l("次数")})  # never reset: identifies each attempt
    released: Mapped[int] = mapped_column(default=0, server_default="0")  # attempts at the last release
    faults: Mapped[int] = mapped_column(default=0, server_default="0")
    set_aside_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("搁置时间")})
    answer: Mapped[str | None] = mapped_column(Text, info={"label": _l("回执")})  # or why there is none yet


def due(table: type[Queued], now: datetime, pace: Pace) -> ColumnElement[bool]:
    """SQL condition: the row may be claimed: not set aside, pause over, no running lease. `table` may be an alias.

    A moment further ahead than any pause or lease, or a first attempt in the future, was recorded by a clock that was
    ahead: it counts as past, or the row would wait for that moment.
    """
    leased = and_(table.claimed_until > now, table.claimed_until <= now + timedelta(seconds=2 * pace.lease))
    unleased = or_(table.claimed_until.is_(None), ~leased)
    paused = and_(table.next_at > now, table.next_at <= now + timedelta(seconds=2 * pace.longest))
    begun = or_(table.attempts > 0, table.queued_at <= now)
    return and_(table.set_aside_at.is_(None), or_(table.next_at <= now, ~and_(paused, begun)), unleased)


def late(table: type[Queued], now: datetime, seconds: float) -> ColumnElement[bool]:
    """SQL condition: the row has waited longer than `seconds`, or was queued by a clock that was ahead."""
    return or_(table.queued_at < now - timedelta(seconds=seconds), table.queued_at > now + AHEAD)


def claiming(table: type[Queued], row: Any, now: datetime, pace: Pace, *conditions: ColumnElement[bool]) -> Update:
    """UPDATE that claims the row due first, for a lease, and counts the attempt; `row`: alias for the conditions."""
    next_one = (
        select(row.id)
        .where(due(row, now, pace), *conditions)
        .order_by(row.next_at, row.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=row)  # PostgreSQL; SQLite has one writer at a time anyway
    )
    values = {"attempts": table.attempts + 1, "claimed_until": now + timedelta(seconds=pace.lease)}
    return update(table).where(table.id == next_one.scalar_subquery()).values(values)


def due_since(row: Any, now: datetime, since: datetime) -> ColumnElement[bool]:
    """SQL condition: the row was due at `since`, when the round began, or its time is of a clock that was ahead."""
    return or_(row.next_at <= since, row.next_at > now)


@dataclass(frozen=True)
class Claim:
    """A claimed row as plain values: no transaction is open while it is processed."""

    table: ClassVar[type[Queued]]

    id: int
    attempt: int
    attempts: int  # since the last release

    @property
    def still_claimed(self) -> tuple[ColumnElement[bool], ...]:
        """SQL conditions: the row is still claimed by this attempt."""
        table = self.table
        return table.id == self.id, table.attempts == self.attempt, table.claimed_until.is_not(None)


def end_attempt(session: Session, claim: Claim, why: str, pace: Pace, fault: bool) -> None:
    """Release a claim and retry after a pause; a `fault` of the row counts towards setting it aside. Commits.

    Does nothing when another worker has claimed the row since.
    """
    why = storable(why)
    values: dict[str, Any] = {"answer": why[:LONGEST_ANSWER]}
    if fault:
        values = failure_values(claim.table, pace, why, _("稍后重试。"), _("已搁置。"))
    values |= {"claimed_until": None, "next_at": pace.after(claim.attempts)}
    session.execute(update(claim.table).where(*claim.still_claimed).values(values), **NO_SYNC)
    session.commit()


def failure_values(table: type[Queued], pace: Pace, why: str, then: str, aside: str) -> dict[str, Any]:
    """Column values of an UPDATE that counts a fault, at most one per attempt, and sets the row aside after `tries`.

    The answer becomes `why` followed by `then`, or by `aside` once the row is set aside. One that a person has set
    aside stays so.
    """
    uncounted = table.faults < table.attempts - table.released
    faults = case((uncounted, table.faults + 1), else_=table.faults)
    aside_now = or_(faults >= pace.tries, table.set_aside_at.is_not(None))
    moment = func.coalesce(table.set_aside_at, literal(clock.now(), Moment()))
    why = why[:LONGEST_ANSWER]
    return {
        "faults": faults,
        "set_aside_at": case((aside_now, moment), else_=None),
        "answer": case((aside_now, why + aside), else_=why + then),
    }


def release_values(table: type[Queued]) -> dict[str, Any]:
    """Column values of an UPDATE that makes a row due at once and resets its count of faults."""
    return {"set_aside_at": None, "faults": 0, "released": table.attempts, "next_at": clock.now()}


def storable(words: str) -> str:
    """`words` without NUL and lone surrogates, which PostgreSQL rejects."""
    return words.replace("\0", "").encode(errors="replace").decode()
