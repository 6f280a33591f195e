"""Locks that end with the transaction, or the connection, that holds them."""

from enum import IntEnum
from zlib import crc32

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class Lock(IntEnum):
    """Ids of PostgreSQL's advisory locks: arbitrary numbers that must never change."""

    MIGRATION = 20_260_101
    RESTORE = 20_260_102
    CLAIM = 20_260_103  # claiming of a message to customs
    DRAFT = 20_260_104
    ENTRUST = 20_260_105
    DRILL = 20_260_106
    SAVED_QUERY = 20_260_131
    ANNOUNCE = 20_260_132
    KEYS = 20_260_133
    COUNT = 20_260_140
    LOG = 20_260_142  # the seals of the log
    SERIES = 20_260_141  # the first number of a series in a year


def wait_for(session: Session, lock: Lock, of: str = "") -> None:
    """Acquire `lock` until the end of this transaction; waits for other holders.

    Sees everything that former holders have committed. `of`: locks this one object (e.g. a page key) only, so that few
    wait. On SQLite the one write lock serves for all.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("UPDATE serial SET last = last WHERE 0")  # changes no row; any table would do
    elif of:
        connection.execute(select(func.pg_advisory_xact_lock(int(lock), crc32(of.encode()) - (1 << 31))))
    else:
        connection.execute(select(func.pg_advisory_xact_lock(int(lock))))
