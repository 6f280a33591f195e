"""Heartbeat of the delivery processes: tells a dead deliverer from a slow customs."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base

EVERY = timedelta(seconds=15)  # minimum between two writes: a deliverer makes a round every second
ONLY = 1  # id of the one row for all deliverers: it matters only whether any is alive
PROBE = 2  # id of the row that /healthz writes, to see whether the database can be written


class Heartbeat(Base):
    """Last heartbeat of any deliverer."""

    __tablename__ = "heartbeat"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime] = mapped_column(Moment)


def last_seen(session: Session) -> datetime | None:
    """Time of the last heartbeat; None: no deliverer has ever run."""
    return session.scalar(select(Heartbeat.seen_at).where(Heartbeat.id == ONLY))


def record(session: Session) -> None:
    """Record that a deliverer is alive, at most once per EVERY. Commits."""
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


def probe(session: Session) -> None:
    """Write a row. Commits; raises SQLAlchemyError when the database cannot be written."""
    moved = update(Heartbeat).where(Heartbeat.id == PROBE).values(seen_at=clock.now())
    found = session.execute(moved, execution_options={"synchronize_session": False})
    if not found.rowcount:  # type: ignore[attr-defined]
        session.add(Heartbeat(id=PROBE, seen_at=clock.now()))
    try:
        session.commit()
    except IntegrityError:  # another process was first
        session.rollback()
