"""The highest key below which no new row of a table can appear, for readers that follow a table by its keys.

PostgreSQL assigns keys at INSERT, but rows become visible at COMMIT, perhaps in another order: a reader that has passed
a key would miss its row. So this reads the last assigned key, then waits until every transaction that was writing to
the table has ended (as CREATE INDEX CONCURRENTLY does); later transactions get higher keys. Writers do not wait.
Timestamps would not do: clocks differ, and a transaction that began early may commit late.
"""

from time import monotonic, sleep

from sqlalchemy import Connection, Integer, String, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.orm import Session

EVERY_KEY = (1 << 63) - 1
PAUSE = 0.02  # seconds between two polls
LOCKS = table("pg_locks", *map(column, ("virtualtransaction", "relation", "mode", "granted", "pid", "database")))
DATABASES = table("pg_database", column("oid"), column("datname"))


def settled_key(session: Session, name: str, patience: float) -> int | None:
    """The last key of table `name` once no row up to it can appear any more; None if that takes over `patience` s.

    A later statement sees all rows up to it. On SQLite, with one writer, keys and commits have the same order.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return EVERY_KEY
    sequence = cast(func.pg_get_serial_sequence(name, "id"), REGCLASS)
    last = connection.scalar(select(func.pg_sequence_last_value(sequence))) or 0
    end, writers = monotonic() + patience, _writers(connection, name)
    while writers:
        if monotonic() > end:
            return None
        sleep(PAUSE)
        writers &= _writers(connection, name)
    return last


def _writers(connection: Connection, name: str) -> set[str]:
    """The running transactions with a write lock on the table, which they take before they get a key."""
    here = select(DATABASES.c.oid).where(DATABASES.c.datname == func.current_database()).scalar_subquery()
    found = select(cast(LOCKS.c.virtualtransaction, String)).where(
        LOCKS.c.database == here,
        LOCKS.c.relation == cast(name, REGCLASS),
        LOCKS.c.mode == "RowExclusiveLock",
        LOCKS.c.granted,
        cast(LOCKS.c.pid, Integer) != func.pg_backend_pid(),
    )
    return set(connection.scalars(found))
