"""When a deliverer of messages was last seen: without it nobody could tell a dead deliverer from a slow customs."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base

EVERY = timedelta(seconds=15)  # written no more often: a deliverer makes a round every second
ONLY = 1  # one row for all deliverers: what matters is whether any is alive


class Heartbeat(Base):
    """The last sign of life of any deliverer."""

    __tablename__ = "heartbeat"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime] = mapped_column(Moment)


def last_seen(session: Session) -> datetime | None:
    """None: no deliverer has ever run."""
    return session.scalar(select(Heartbeat.seen_at).where(Heartbeat.id == ONLY))


def beat(session: Session) -> None:
    """Note that a deliverer is alive, unless that was noted just now. Commits."""
    now, seen = clock.now(), last_seen(session)
    if seen is None:
        session.add(Heartbeat(id=ONLY, seen_at=now))
    elif not now - EVERY < seen <= now:  # also when the clock has been set back
        moved = update(Heartbeat).where(Heartbeat.id == ONLY).values(seen_at=now)
        session.execute(moved, execution_options={"synchronize_session": False})
    try:
        session.commit()
    except IntegrityError:  # another deliverer was first
        session.rollback()
