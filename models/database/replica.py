"""A streaming replica of PostgreSQL, from which read-only sessions read applications while its lag is small.

The lag is measured by positions in the write-ahead log, which every account may query: the position that the replica
has replayed, compared with remembered positions of the primary and the times of their reading. No clock of another
machine is used, and a replica that has lost its primary is noticed; `pg_last_xact_replay_timestamp()` has the same
value for it as for an idle one. Positions are comparable within one timeline: after a failover the replica is used
again once it follows the new primary and has made its first restartpoint there, some minutes later.
"""

from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Engine, Select, case, func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

KEY = "replica"  # in session.info: whether the session may read from the replica
BIND = "replica"  # its name among Flask-SQLAlchemy's engines
EVERY = 1.0  # seconds between two measurements of a process
CONNECT = 1  # seconds to connect: a page waits for it
AWAY = 5.0  # seconds without a query after the replica failed
MOST_POSITIONS = 120  # positions of the primary that are remembered for comparison


@dataclass
class Replica:
    """State of the replica as measured by this process; `seconds`: the maximal lag."""

    engine: Engine
    seconds: float
    lock: Lock = field(default_factory=Lock)
    positions: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=MOST_POSITIONS))
    fresh_at: float = -1e9  # moment of the primary that the replica has certainly reached
    measure_at: float = 0.0

    def is_usable(self, primary: Engine) -> bool:
        """Whether the replica has everything committed `seconds` ago; queries both servers at most once a second."""
        now = monotonic()
        if now >= self.measure_at and self.lock.acquire(blocking=False):  # other threads use the last result
            try:
                self.measure_at = now + EVERY
                self._measure(primary)
            finally:
                self.lock.release()
        return monotonic() - self.fresh_at <= self.seconds

    def _measure(self, primary: Engine) -> None:
        try:
            asked = monotonic()
            self.positions.append((asked, *position(primary, of_primary())))
            followed, replayed = position(self.engine, of_replica())
            if replayed < 0:
                self.engine.dispose()  # its server was promoted; of an address with several hosts another is a standby
        except SQLAlchemyError:
            self.note_failure()
            return
        reached = [at for at, timeline, where in self.positions if timeline == followed and where <= replayed]
        self.fresh_at = max([self.fresh_at, *reached])

    def note_failure(self) -> None:
        """After a failure all sessions of this process read from the primary for AWAY seconds."""
        self.fresh_at, self.measure_at = -1e9, monotonic() + AWAY


def of_primary() -> Select[str, int | None]:
    """Query for the primary: its timeline (hex) and its write position (bytes)."""
    here = func.pg_current_wal_lsn()
    return select(func.left(func.pg_walfile_name(here), 8), _bytes(here))


def of_replica() -> Select[str, int | None]:
    """Query for the replica: the timeline of its last checkpoint (hex) and the position replayed (bytes)."""
    checkpoint = func.pg_control_checkpoint().table_valued("timeline_id")
    replayed = case((func.pg_is_in_recovery(), func.pg_last_wal_replay_lsn()))
    return select(func.to_hex(checkpoint.c.timeline_id), _bytes(replayed))


def _bytes(where: Any) -> Any:
    return func.pg_wal_lsn_diff(where, literal_column("'0/0'::pg_lsn"))


def position(engine: Engine, asked: Select[str, int | None]) -> tuple[int, int]:
    """(timeline, position in the write-ahead log, in bytes; -1: none, as of a server that was promoted)."""
    with engine.connect() as connection:
        timeline, found = connection.execute(asked).one()
    return int(timeline, 16), -1 if found is None else int(found)


def prefer(session: Session, known: Replica | None) -> None:
    """Let the session read applications and their parts from the replica, if that is usable."""
    primary = session.get_bind()
    if known is not None and isinstance(primary, Engine) and known.is_usable(primary):
        session.info[KEY] = known


def chosen(session: Session, mapper: Any, clause: Any) -> Engine | None:
    """The engine of the replica, if the statement may run there: a SELECT of such rows without a lock; else None."""
    known: Replica | None = session.info.get(KEY)
    if known is None or mapper is None or clause is None or not clause.is_select or clause._for_update_arg is not None:
        return None
    return known.engine if getattr(mapper.class_, "on_replica", False) else None


def report_failure(session: Session) -> bool:
    """Stop using the replica for AWAY seconds if this session was reading from it; returns whether it was."""
    known: Replica | None = session.info.pop(KEY, None)
    if known is not None:
        known.note_failure()
    return known is not None
