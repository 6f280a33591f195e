"""What the queues in the database share: lease, retry with back-off, dead letter (outbox.py, paper_queue.py).

A worker claims a row for a while (the lease), by an UPDATE that one of many wins. A worker that dies leaves its lease
to run out; one that fails gives the row back, to be tried again after a pause; too many faults set the row aside.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Text, and_, case, func, literal, or_
from sqlalchemy.orm import Mapped, mapped_column

from models import clock
from models.clock import Moment

LONGEST_ANSWER = 450  # characters of the reason, which leaves room for what happens next


@dataclass(frozen=True)
class Pace:
    """How patient we are: seconds, but for `tries`: faults of its own after which a row is set aside."""

    lease: float = 120  # a worker that says nothing for so long is taken for dead
    pause: float = 5  # the first; each is twice the one before
    longest: float = 3600
    overdue: float = 3600
    tries: int = 10

    def after(self, attempts: int) -> datetime:
        """When to try again, after so many attempts; no two workers in step."""
        seconds = min(self.pause * 2 ** min(max(attempts, 1) - 1, 20), self.longest)
        return clock.now() + timedelta(seconds=seconds * random.uniform(0.8, 1.2))


class Queued:
    """The columns of a row that waits in a queue."""

    queued_at: Mapped[datetime] = mapped_column(Moment, index=True, info={"label": _l("入列时间")})
    next_at: Mapped[datetime] = mapped_column(Moment, default=clock.now, info={"label": _l("下次办理")})
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0, info={"label": _l("次数")})  # never starts anew: it names each one
    released: Mapped[int] = mapped_column(default=0, server_default="0")  # attempts at the last release
    faults: Mapped[int] = mapped_column(default=0, server_default="0")
    set_aside_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("搁置时间")})
    answer: Mapped[str | None] = mapped_column(Text, info={"label": _l("回执")})  # or why there is none yet


def due(table: type[Queued], now: datetime) -> ColumnElement[bool]:
    """Whether a row may be claimed: not set aside, its pause over, leased to nobody. Also of an alias of the table."""
    unleased = or_(table.claimed_until.is_(None), table.claimed_until <= now)
    return and_(table.set_aside_at.is_(None), table.next_at <= now, unleased)


def claiming(table: type[Queued], until: datetime) -> dict[str, Any]:
    """The values that claim a row, and so record the attempt."""
    return {"attempts": table.attempts + 1, "claimed_until": until}


def one_fault_more(table: type[Queued], pace: Pace, why: str, then: str, aside: str) -> dict[str, Any]:
    """The values that count a fault, at most one an attempt; too many set the row aside.

    `why` is kept as the answer, with `then` after it, or `aside` once the row is set aside.
    """
    uncounted = table.faults < table.attempts - table.released
    faults = case((uncounted, table.faults + 1), else_=table.faults)
    moment = func.coalesce(table.set_aside_at, literal(clock.now(), Moment()))
    why = why[:LONGEST_ANSWER]
    return {
        "faults": faults,
        "set_aside_at": case((faults >= pace.tries, moment), else_=None),
        "answer": case((faults >= pace.tries, why + aside), else_=why + then),
    }


def releasing(table: type[Queued]) -> dict[str, Any]:
    """The values that let a row be tried anew at once, its count from nought."""
    return {"set_aside_at": None, "faults": 0, "released": table.attempts, "next_at": clock.now()}


def storable(words: str) -> str:
    """Words from outside as a column of text takes them: without NUL and lone surrogates."""
    return words.replace("\0", "").encode(errors="replace").decode()
