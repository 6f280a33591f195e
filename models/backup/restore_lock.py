"""The lock of a running restore: a second restore is refused, and a running server can tell that one is running.

PostgreSQL: an advisory lock of a transaction, because PgBouncer would give the connection of an ended one, with its
lock, to others. SQLite: a lock on a file beside the database. Both end with the process that holds them, also when it
crashes.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import gettext as _
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from models.database import postgresql
from models.database.locks import Lock
from models.workflow import Refused

ENDING = ".restore-lock"
LOG = logging.getLogger(__name__)


@contextmanager
def hold(engine: Engine) -> Iterator[None]:
    """Hold the lock; raises Refused when another restore has it."""
    busy = _("另一个 restore 正在恢复这个数据库，没有重复进行，请等它结束。")
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            postgresql.wait_without_end(connection)
            if not connection.scalar(select(func.pg_try_advisory_xact_lock(int(Lock.RESTORE)))):
                raise Refused(busy)
            try:
                yield
                _end(connection)
            finally:
                connection.invalidate()  # ends the transaction, and so the lock, even when the server has gone
        return
    file = os.open(f"{engine.url.database}{ENDING}", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(busy) from None
        yield
    finally:
        os.close(file)


def _end(connection: Connection) -> None:
    """Release the lock. Where the server had ended the connection, the restore is done all the same."""
    try:
        connection.rollback()
    except SQLAlchemyError as error:
        LOG.warning("the lock of the restore was lost, so another one may have run; run trail verify: %s", error)


def is_held(engine: Engine) -> bool:
    """Whether a restore is running on this database."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            acquired = connection.scalar(select(func.pg_try_advisory_xact_lock_shared(int(Lock.RESTORE))))
        return not acquired
    try:
        file = os.open(f"{engine.url.database}{ENDING}", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
