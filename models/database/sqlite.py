"""SQLite: the library used, how a connection is opened, and which versions are refused."""

import shutil
import time
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Engine, event, make_url

from models.database.sqlite_queue import QueuedConnection
from models.database.sqlite_queue import library as library

Version = tuple[int, ...]
PRAGMAS = ("foreign_keys=ON", "synchronous=FULL")
MIN_FREE = 16 << 20  # bytes that must be free beside the file; below that a small write succeeds and a large one fails
BUSY_SECONDS = 30  # that a writer waits for another
TRIES, PAUSE = 100, 0.05  # attempts, and seconds between them: up to five seconds


def options() -> dict[str, Any]:
    """Keyword arguments for `create_engine`."""
    # IMMEDIATE takes the write lock at BEGIN; upgrading a read transaction fails with «locked» under load.
    arguments = {"isolation_level": "IMMEDIATE", "timeout": BUSY_SECONDS, "factory": QueuedConnection}
    return {"module": library, "connect_args": arguments}


def loses_commits(version: Version) -> bool:
    """Whether a commit that races another process's checkpoint may be lost (https://sqlite.org/wal.html, section 11).

    Fixed in 3.51.3, and in the branches 3.44 and 3.50 by 3.44.6 and 3.50.7.
    """
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return not fixed


def refusal(address: str, version: Version = library.sqlite_version_info) -> str | None:
    """Why this database must not be opened, or None. Any file may be opened by several processes; memory may not."""
    url = make_url(address)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    if not loses_commits(version):
        return None
    return _(
        "SQLite %(version)s 在多个进程同时写入时可能丢失数据，不能使用。"
        "请安装 pysqlite3，或改用 SQLite 3.51.3 及以上版本，或改用 PostgreSQL。",
        version=".".join(map(str, version)),
    )


def is_absent(engine: Engine) -> bool:
    """Whether the file of the database does not exist; connecting would create it."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return bool(file) and file != ":memory:" and not Path(str(file)).exists()


def has_disk_space(engine: Engine) -> bool:
    """Whether the disk of the database has MIN_FREE; raises OSError when its folder is not there."""
    path = engine.url.database
    return not path or path == ":memory:" or shutil.disk_usage(Path(path).parent).free >= MIN_FREE


def set_busy_timeout(driver: Any, seconds: int) -> None:
    """Set how long a connection waits for another writer: in our queue, and at SQLite's own lock."""
    driver.patience = seconds
    driver.execute(f"PRAGMA busy_timeout={seconds * 1000}")


def restore_busy_timeout(driver: Any) -> None:
    """Wait for other writers as usual again; nothing to do once the connection is back in its pool, or closed by it."""
    if driver is not None and driver.patience != BUSY_SECONDS:  # None: the pool gives the connection up
        set_busy_timeout(driver, BUSY_SECONDS)


def is_programming_error(error: Any) -> bool:
    """SQLite reports unknown tables and columns as OperationalError too."""
    return isinstance(error, library.OperationalError) and getattr(error, "sqlite_errorcode", 0) == library.SQLITE_ERROR


def prepare(engine: Engine) -> None:
    """Make this engine open every connection with a write-ahead log, foreign keys, and commits synced to disk."""
    event.listen(engine, "connect", lambda connection, _record: _open(connection))
    # A pool that has enough idle ones closes a connection at once: afterwards nothing can be set on it.
    event.listen(engine, "checkin", lambda connection, _record: restore_busy_timeout(connection))


def _open(connection: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    for tries_left in reversed(range(TRIES)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except library.OperationalError:  # another process opens the new file: the busy timeout does not apply here
            if not tries_left:
                raise
            time.sleep(PAUSE)
