"""The highest key below which no new row of a table can appear, for readers that follow a table by its keys.

PostgreSQL assigns keys at INSERT, but rows become visible at COMMIT, perhaps in another order: a reader that has passed
a key would miss its row. So this reads the last assigned key, then waits until every transaction that may hold a lower
one has ended (as CREATE INDEX CONCURRENTLY does); later transactions get higher keys. Writers do not wait.
Timestamps would not do: clocks differ, and a transaction that began early may commit late.
"""

from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Integer, String, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.orm import DeclarativeBase, Session

EVERY_KEY = (1 << 63) - 1
PAUSE = 0.02  # seconds between two polls
LOCKS = table("pg_locks", *map(column, ("virtualtransaction", "relation", "mode", "granted", "pid", "database")))
DATABASES = table("pg_database", column("oid"), column("datname"))


def settled_key(session: Session, model: type[DeclarativeBase], patience: float) -> int | None:
    """The last key of the model's table once no row up to it can appear any more; None if that takes over `patience` s.

    A later statement sees all rows up to it. On SQLite, with one writer, keys and commits have the same order.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return EVERY_KEY
    sequence = cast(func.pg_get_serial_sequence(model.__tablename__, "id"), REGCLASS)
    # Without RETURNING the key is asked for before the INSERT: a writer may have it, and no lock on the table yet.
    key_by_insert = model.__table__.implicit_returning  # type: ignore[attr-defined]
    locked = cast(model.__tablename__, REGCLASS) if key_by_insert else sequence
    last = connection.scalar(select(func.pg_sequence_last_value(sequence))) or 0
    end, writers = monotonic() + patience, _writers(connection, locked)
    while writers:
        if monotonic() > end:
            return None
        sleep(PAUSE)
        writers &= _writers(connection, locked)
    return last


def _writers(connection: Connection, locked: Any) -> set[str]:
    """The running transactions with a write lock on this relation, which they take before they get a key."""
    here = select(DATABASES.c.oid).where(DATABASES.c.datname == func.current_database()).scalar_subquery()
    found = select(cast(LOCKS.c.virtualtransaction, String)).where(
        LOCKS.c.database == here,
        LOCKS.c.relation == locked,
        LOCKS.c.mode == "RowExclusiveLock",
        LOCKS.c.granted,
        cast(LOCKS.c.pid, Integer) != func.pg_backend_pid(),
    )
    return set(connection.scalars(found))
