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
    now, state = clock.now(), _state()
    alive = seen is not None and abs(now - seen) <= timedelta(seconds=pace.silent)  # abs: clocks differ
    late = case((queue.late(CustomsMessage, now, pace.overdue if alive else min(pace.silent, pace.overdue)), 1))
    silent = case((CustomsMessage.unanswered(pace.unanswered_since()), 1))
    sums = (func.count(CustomsMessage.id), func.count(late), func.count(silent), func.min(CustomsMessage.queued_at))
    rows = session.execute(select(state, *sums).where(CustomsMessage.answered_at.is_(None)).group_by(state)).all()
    counts = dict.fromkeys(OPEN, 0) | {Delivery(name): count for name, count, *_rest in rows}
    overdue = sum(found for name, _count, found, *_rest in rows if name != Delivery.SET_ASIDE)
    unanswered = sum(found for _name, _count, _late, found, _oldest in rows)
    oldest = min((moment for *_sums, moment in rows), default=None)
    rejected = session.scalar(_lost_revocations()) or 0
    return Health(counts, overdue, oldest, rejected, unanswered, bool(overdue) and not alive)


# Both are made once, because that takes longer than to run them; not at import, which would configure the mappers.
@cache
def _state() -> Any:
    return case(*((CustomsMessage.state == state, state.value) for state in OPEN))


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
