"""SQLite: the library used, how a connection is opened, and which versions are refused."""

import shutil
import time
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Engine, event, make_url

try:  # bundles a newer SQLite than Debian 12 and 13 have
    from pysqlite3 import dbapi2 as _library
except ImportError:  # no wheel for this machine
    import sqlite3 as _library

library: Any = _library
Version = tuple[int, ...]
PRAGMAS = ("foreign_keys=ON", "synchronous=FULL")
ROOM = 16 << 20  # bytes that must be free beside the file; below that a small write succeeds and a large one fails
BUSY_SECONDS = 30  # that a writer waits for another
TRIES, PAUSE = 100, 0.05  # attempts, and seconds between them: up to five seconds


def options() -> dict[str, Any]:
    """Keyword arguments for `create_engine`."""
    # IMMEDIATE takes the write lock at BEGIN; upgrading a read transaction fails with «locked» under load.
    return {"module": library, "connect_args": {"isolation_level": "IMMEDIATE", "timeout": BUSY_SECONDS}}


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
    """Whether the file of a database is not there; connecting would make it."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return bool(file) and file != ":memory:" and not Path(str(file)).exists()


def has_room(engine: Engine) -> bool:
    """Whether the disk of the database has ROOM; raises OSError when its folder is not there."""
    path = engine.url.database
    return not path or path == ":memory:" or shutil.disk_usage(Path(path).parent).free >= ROOM


def set_busy_timeout(driver: Any, seconds: int) -> None:
    """How long a driver's connection waits for another writer."""
    driver.execute(f"PRAGMA busy_timeout={seconds * 1000}")


def is_programming_error(error: Any) -> bool:
    """SQLite reports unknown tables and columns as OperationalError too."""
    return isinstance(error, library.OperationalError) and getattr(error, "sqlite_errorcode", 0) == library.SQLITE_ERROR


def prepare(engine: Engine) -> None:
    """Make this engine open every connection with a write-ahead log, foreign keys, and commits synced to disk."""
    event.listen(engine, "connect", lambda connection, _record: _open(connection))


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
