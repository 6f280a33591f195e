"""Whether the exchange is well: counts and ages of what this session sees, without a word about any application."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models import clock
from models.customs import DELIVERIES, CustomsMessage
from models.outbox import Pace
from models.receipt import CustomsReceipt
from models.vocabulary import Delivery


@dataclass(frozen=True)
class Health:
    """How many messages stand where; `oldest` is when the one that has waited longest was queued."""

    counts: dict[Delivery, int]
    overdue: int
    oldest: datetime | None

    @property
    def ill(self) -> list[str]:
        """What a person has to look after, in one word each."""
        return [word for word, found in (("overdue", self.overdue), ("set_aside", self.set_aside)) if found]

    @property
    def set_aside(self) -> int:
        """Messages that wait for somebody to release them."""
        return self.counts[Delivery.SET_ASIDE]


def health(session: Session, pace: Pace) -> Health:
    """Of everything in the door's session; of a province in a reviewer's. Overdue: waits longer than `pace.overdue`."""
    waiting = (Delivery.QUEUED, Delivery.SENT)
    late = CustomsMessage.queued_at < clock.now() - timedelta(seconds=pace.overdue)
    return Health(
        {state: _count(session, DELIVERIES[state]) for state in (*waiting, Delivery.SET_ASIDE)},
        sum(_count(session, DELIVERIES[state], late) for state in waiting),
        session.scalar(select(func.min(CustomsMessage.queued_at)).where(CustomsMessage.answered_at.is_(None))),
    )


def strange(session: Session) -> int:
    """Receipts that could not be read, or not whole."""
    found = select(func.count()).select_from(CustomsReceipt).where(CustomsReceipt.strange.is_(True))
    return int(session.scalar(found) or 0)


def _count(session: Session, *which: ColumnElement[bool]) -> int:
    return int(session.scalar(select(func.count(CustomsMessage.id)).where(*which)) or 0)
