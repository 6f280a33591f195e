"""Health of the exchange: counts and ages of the messages that this session may see, and no application data."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session, aliased, defer

from models import clock, queue
from models.customs import CustomsMessage, heartbeat
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt
from models.vocabulary import Action, Delivery

OPEN = (Delivery.QUEUED, Delivery.SENT, Delivery.SET_ASIDE)


@dataclass(frozen=True)
class Health:
    """Open messages by state; `oldest`: when the longest waiting one was queued.

    `rejected`: rejected revocations, never resent, of certificates that customs has accepted. `unanswered`: sent long
    ago without an answer (久未回执). `undelivered`: messages are overdue and no deliverer is running.
    """

    counts: dict[Delivery, int]
    overdue: int
    oldest: datetime | None
    rejected: int
    unanswered: int
    undelivered: bool

    @property
    def problems(self) -> list[str]:
        """What needs a person's attention, as words of /healthz."""
        signs = {"deliverer": self.undelivered, "overdue": self.overdue, "set_aside": self.set_aside}
        signs |= {"rejected": self.rejected, "unanswered": self.unanswered}
        return [word for word, found in signs.items() if found]

    @property
    def set_aside(self) -> int:
        """Number of messages that a person must release (已搁置)."""
        return self.counts[Delivery.SET_ASIDE]

    @property
    def waited(self) -> timedelta | None:
        """How long the oldest message has waited."""
        return clock.now() - self.oldest if self.oldest else None


def health(session: Session, pace: Pace) -> Health:
    """As health_with(), reading the last heartbeat of a deliverer."""
    return health_with(session, pace, heartbeat.last_seen(session))


def health_with(session: Session, pace: Pace, seen: datetime | None) -> Health:
    """The health of all messages that row security lets this session see; `seen`: last heartbeat of a deliverer.

    Overdue: waiting longer than `pace.overdue`, or than `pace.silent` while no deliverer is running.
    """
    now = clock.now()
    alive = seen is not None and abs(now - seen) <= timedelta(seconds=pace.silent)  # abs: clocks differ
    late = queue.late(CustomsMessage, now, pace.overdue if alive else min(pace.silent, pace.overdue))
    sums = (
        *_of_states(),
        _number_of(CustomsMessage.set_aside_at.is_(None) & late),
        _number_of(CustomsMessage.unanswered(pace.unanswered_since())),
        func.min(CustomsMessage.queued_at),
    )  # of all rows: grouped by state they take SQLite twice as long
    row = session.execute(select(*sums).where(CustomsMessage.answered_at.is_(None))).one()
    *counts, overdue, unanswered, oldest = row
    rejected = session.scalar(_lost_revocations()) or 0
    undelivered = bool(overdue) and not alive
    return Health(dict(zip(OPEN, counts, strict=True)), overdue, oldest, rejected, unanswered, undelivered)


def _number_of(condition: Any) -> Any:
    return func.count(case((condition, 1)))


# Both are made once, because that takes longer than to run them; not at import, which would configure the mappers.
@cache
def _of_states() -> tuple[Any, ...]:
    return tuple(_number_of(CustomsMessage.state == state) for state in OPEN)


@cache
def _lost_revocations() -> Select[int]:
    other = aliased(CustomsMessage)
    same = select(other.id).where(other.certificate_id == CustomsMessage.certificate_id)
    again, accepted = same.where(other.id > CustomsMessage.id), same.where(other.accepted.is_(True))
    lost = (
        CustomsMessage.act == Action.REVOKE,
        CustomsMessage.state == Delivery.REJECTED,
        ~again.exists(),
        accepted.exists(),
    )
    return select(func.count(CustomsMessage.id)).where(*lost)


def latest_unreadable(session: Session, most: int = 20) -> tuple[int, list[CustomsReceipt]]:
    """(count, newest `most`) of the receipts with unreadable content."""
    odd = CustomsReceipt.strange.is_(True)
    count = session.scalar(select(func.count(CustomsReceipt.id)).where(odd)) or 0
    latest = select(CustomsReceipt).options(defer(CustomsReceipt.raw)).where(odd)
    return count, list(session.scalars(latest.order_by(CustomsReceipt.id.desc()).limit(most)))
