"""The hash chain of the log: a seal for each entry, over its values and the seal before, added after its commit.

If writers added it themselves, each would wait for the commit of the one before: the whole system could log one entry
at a time. So a job seals committed entries in the order of their ids, once no lower id can appear. Seals have no key:
only a checkpoint (models/checkpoint) reveals that somebody has rewritten an entry with all later seals, or has removed
these, which the next job then adds anew.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import String, exists, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.database import Base, seals
from models.database.keys import BIG
from models.database.locks import Lock, wait_for
from models.database.settled_keys import settled_key
from models.log import LogEntry

AT_ONCE = 1000  # entries in a transaction
PATIENCE = 0.2  # seconds that a round of a job waits for running writers; what they write is sealed in its next round
SETTLING = 5.0  # seconds that a command waits for them
LATE = timedelta(minutes=10)


class LogSeal(Base):
    """The seal of an entry. No foreign key: it proves that an entry was removed."""

    __tablename__ = "log_seal"

    entry_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    algorithm: Mapped[str | None] = mapped_column(String(8))  # (seals.py); None: SHA-256
    seal: Mapped[str] = mapped_column(String(64))


def _seal_of(entry: LogEntry, previous: str, algorithm: str | None) -> str:
    """The hash over the previous seal, the algorithm, and the id and all values of the entry, in hex."""
    return seals.seal(f"{previous} {algorithm or seals.SHA256} {entry.id} {entry.content()}", algorithm)


def seal_all(session: Session) -> None:
    """Seal the entries that have no seal yet. Commits after each AT_ONCE.

    On PostgreSQL no writer of the log waits. If some are still running after SETTLING, the rest stays unsealed.
    """
    while seal_some(session, SETTLING) == AT_ONCE:
        pass


def count_unsealed(session: Session, most: int | None = None, before: datetime | None = None) -> int:
    """How many of the newest entries have no seal yet: written before this moment, and counted up to `most`."""
    newest = select(LogEntry.id).where(LogEntry.id > _last_sealed(session)).limit(most)
    if before is not None:
        newest = newest.where(LogEntry.at < before)
    return session.scalar(select(func.count()).select_from(newest.subquery())) or 0


def is_late(session: Session) -> bool:
    """Whether an entry has had no seal for LATE: no job runs, or a transaction does not end."""
    return bool(count_unsealed(session, 1, clock.now() - LATE))


def _last_sealed(session: Session) -> int:
    return session.scalar(select(func.max(LogSeal.entry_id))) or 0


def seal_some(session: Session, patience: float = PATIENCE) -> int:
    """Seal the next entries, AT_ONCE at most; returns their number. Commits, or rolls back if there is none."""
    if not count_unsealed(session, 1):
        return 0
    wait_for(session, Lock.LOG)
    last, settled = _last_sealed(session), settled_key(session, LogEntry, patience)
    if settled is None:
        session.rollback()
        return 0
    previous = session.scalar(select(LogSeal.seal).where(LogSeal.entry_id == last)) or seals.GENESIS
    algorithm = seals.algorithm_of(session)
    found = select(LogEntry).where(LogEntry.id > last, LogEntry.id <= settled).order_by(LogEntry.id).limit(AT_ONCE)
    entries = session.scalars(found).all()
    for entry in entries:
        previous = _seal_of(entry, previous, algorithm)
        session.add(LogSeal(entry_id=entry.id, algorithm=algorithm, seal=previous))
    session.commit()
    return len(entries)


def contradictions(session: Session) -> Iterator[str]:
    """Yield a sentence for each entry that contradicts the seals, edited and removed ones before inserted ones."""
    previous = seals.GENESIS
    rows = select(LogSeal, LogEntry).outerjoin(LogEntry, LogEntry.id == LogSeal.entry_id).order_by(LogSeal.entry_id)
    for seal, entry in session.execute(rows.execution_options(yield_per=AT_ONCE)):
        if entry is None:
            yield _("日志第 %(id)s 条已不在，只留下它的校验值。", id=seal.entry_id)
        elif seal.seal != _seal_of(entry, previous, seal.algorithm):
            words = _("日志第 %(id)s 条与校验值不符：%(entry)s。这一条被改动，或与它前一条之间有增删。")
            yield words % {"id": entry.id, "entry": entry.described()}
        previous = seal.seal
    without = LogEntry.id < _last_sealed(session), ~exists().where(LogSeal.entry_id == LogEntry.id)
    for entry in session.scalars(select(LogEntry).where(*without).order_by(LogEntry.id)):
        yield _("日志第 %(id)s 条没有校验值，是后来插入的：%(entry)s。", id=entry.id, entry=entry.described())
