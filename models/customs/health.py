"""Whether the exchange is well: counts and ages of what this session sees, without a word about any application."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased, defer

from models import clock
from models.customs import DELIVERIES, CustomsMessage, heartbeat, long_unanswered
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt
from models.vocabulary import Action, Delivery

OPEN = (Delivery.QUEUED, Delivery.SENT, Delivery.SET_ASIDE)


@dataclass(frozen=True)
class Health:
    """How many messages stand where; `oldest` is when the one that has waited longest was queued.

    `rejected`: revocations that customs did not take, of certificates that it did, and that nobody has sent again.
    `unanswered`: sent long ago, without an answer (久未回执). `undelivered`: messages wait and no deliverer is running.
    """

    counts: dict[Delivery, int]
    overdue: int
    oldest: datetime | None
    rejected: int
    unanswered: int
    undelivered: bool

    @property
    def ill(self) -> list[str]:
        """What a person has to look after, in one word each."""
        told = {"deliverer": self.undelivered, "overdue": self.overdue, "set_aside": self.set_aside}
        told |= {"rejected": self.rejected, "unanswered": self.unanswered}
        return [word for word, found in told.items() if found]

    @property
    def set_aside(self) -> int:
        """Messages that wait for somebody to release them."""
        return self.counts[Delivery.SET_ASIDE]

    @property
    def waited(self) -> timedelta | None:
        """How long the oldest has waited."""
        return clock.now() - self.oldest if self.oldest else None


def health(session: Session, pace: Pace) -> Health:
    """Of everything in the door's session; of a province in a reviewer's.

    Overdue: waits longer than `pace.overdue`, or `pace.silent` while no deliverer is running.
    """
    now, seen = clock.now(), heartbeat.last_seen(session)
    alive = seen is not None and seen >= now - timedelta(seconds=pace.silent)
    since = now - timedelta(seconds=pace.overdue if alive else min(pace.silent, pace.overdue))
    state = case(*((DELIVERIES[state], state.value) for state in OPEN))
    late = case((CustomsMessage.queued_at < since, 1))
    asked = select(state, func.count(CustomsMessage.id), func.count(late), func.min(CustomsMessage.queued_at))
    rows = session.execute(asked.where(CustomsMessage.answered_at.is_(None)).group_by(state)).all()
    counts = dict.fromkeys(OPEN, 0) | {Delivery(name): count for name, count, _late, _oldest in rows}
    overdue = sum(found for name, _count, found, _oldest in rows if name != Delivery.SET_ASIDE)
    oldest = min((moment for _name, _count, _late, moment in rows), default=None)
    unanswered = select(func.count(CustomsMessage.id)).where(long_unanswered(pace.unanswered_since()))
    return Health(
        counts, overdue, oldest, _rejected(session), session.scalar(unanswered) or 0, bool(overdue) and not alive
    )


def _rejected(session: Session) -> int:
    other = aliased(CustomsMessage)
    same = select(other.id).where(other.certificate_id == CustomsMessage.certificate_id)
    again, taken = same.where(other.id > CustomsMessage.id), same.where(other.accepted.is_(True))
    lost = (CustomsMessage.act == Action.REVOKE, DELIVERIES[Delivery.REJECTED], ~again.exists(), taken.exists())
    return int(session.scalar(select(func.count(CustomsMessage.id)).where(*lost)) or 0)


def strange(session: Session, most: int = 20) -> tuple[int, list[CustomsReceipt]]:
    """Receipts that could not be read, or not whole: how many, and the latest."""
    odd = CustomsReceipt.strange.is_(True)
    count = session.scalar(select(func.count(CustomsReceipt.id)).where(odd)) or 0
    latest = select(CustomsReceipt).options(defer(CustomsReceipt.raw)).where(odd)
    return count, list(session.scalars(latest.order_by(CustomsReceipt.id.desc()).limit(most)))
