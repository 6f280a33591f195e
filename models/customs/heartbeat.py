"""Heartbeats of the worker processes: tell a dead deliverer from slow customs, and whether reminders are sent."""

from datetime import datetime, timedelta

from sqlalchemy import String, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import NO_SYNC, Base

EVERY = timedelta(seconds=15)  # minimum between two writes: a deliverer makes a round every second
ONLY = 1  # id of the one row for all deliverers: it matters only whether any is alive
PROBE = 2  # id of the row that /healthz writes, to see whether the database can be written
REMINDER = 3  # id of the row of the reminder processes (models/notifications/reminders.py)
ON_HOLD = 4  # id of the row that exists while sending is held after a restore (hold.py)


class Heartbeat(Base):
    """Last heartbeat of any process of one kind; `words`: what failed in its last round."""

    __tablename__ = "heartbeat"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    words: Mapped[str] = mapped_column(String(200), default="", server_default="")


def rounds(session: Session) -> dict[int, tuple[datetime, str]]:
    """Kind → (its last heartbeat, what failed in its last round), of all kinds in one query."""
    found = session.execute(select(Heartbeat.id, Heartbeat.seen_at, Heartbeat.words))
    return {kind: (seen_at, words) for kind, seen_at, words in found}


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
        session.execute(moved, **NO_SYNC)
    try:
        session.commit()
    except IntegrityError:  # another deliverer was first
        session.rollback()


def put_round(session: Session, kind: int, words: str) -> None:
    """Record the end of a round of this kind; `words`: what failed in it. The caller commits.

    Raises IntegrityError when another process wrote the first row of this kind meanwhile.
    """
    values = {"seen_at": clock.now(), "words": words[:200]}
    moved = update(Heartbeat).where(Heartbeat.id == kind).values(values)
    found = session.execute(moved, **NO_SYNC)
    if not found.rowcount:  # type: ignore[attr-defined]
        session.add(Heartbeat(id=kind, **values))
        session.flush()


def record_round(session: Session, kind: int, words: str) -> None:
    """As put_round(), and commits; it is no error when another process was first."""
    try:
        put_round(session, kind, words)
        session.commit()
    except IntegrityError:  # another process was first
        session.rollback()


def last_round(session: Session, kind: int) -> tuple[datetime, str] | None:
    """(end of the last round of this kind, what failed in it); None: no round yet."""
    found = session.execute(select(Heartbeat.seen_at, Heartbeat.words).where(Heartbeat.id == kind)).one_or_none()
    return None if found is None else (found[0], found[1])


def probe(session: Session) -> None:
    """Write a row. Commits; raises SQLAlchemyError when the database cannot be written."""
    record_round(session, PROBE, "")
