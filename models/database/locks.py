"""Locks that end with the transaction, or the connection, that holds them."""

from enum import IntEnum

from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, Session


class Lock(IntEnum):
    """Ids of PostgreSQL's advisory locks: arbitrary numbers that must never change."""

    MIGRATION = 20_260_101
    RESTORE = 20_260_102
    CLAIM = 20_260_103  # of a message to customs
    DRAFT = 20_260_104
    ENTRUST = 20_260_105
    KEPT_QUERY = 20_260_131
    ANNOUNCE = 20_260_132


def wait_for(session: Session, lock: Lock) -> None:
    """Wait until no other transaction holds `lock`, and hold it to the end of this one.

    What the others have committed can be seen afterwards. SQLite has one lock for all: that of the only writer.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("UPDATE serial SET last = last WHERE 0")  # changes no row
    else:
        connection.execute(select(func.pg_advisory_xact_lock(int(lock))))


def wait_for_writers(session: Session, model: type[DeclarativeBase]) -> None:
    """Wait until every transaction that writes to this table has ended: no row with a lower id can appear any more.

    Others wait until this transaction ends.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":  # which has one writer at a time
        connection.exec_driver_sql(f"LOCK TABLE {model.__tablename__} IN SHARE MODE")
