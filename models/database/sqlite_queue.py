"""Writers of one SQLite file in a queue: a lock on a file beside it, taken before BEGIN IMMEDIATE.

SQLite has one writer at a time. Its own busy handler retries after pauses of up to 100 ms, so that a later writer may
go first and some wait for seconds. Here the threads of a process queue at a lock, and the first of each process tries
the file lock every millisecond. This is about fairness only: correctness rests on SQLite's own lock.
"""

import fcntl
import os
import re
from collections import defaultdict
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

try:  # bundles a newer SQLite than Debian 12 and 13 have
    from pysqlite3 import dbapi2 as _library
except ImportError:  # no wheel for this machine
    import sqlite3 as _library

library: Any = _library
BEGINS = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|BEGIN IMMEDIATE)\b", re.IGNORECASE)
PAUSE = 0.001  # seconds between two attempts at the file lock
THREADS: dict[str, Lock] = defaultdict(Lock)  # path of the lock file → lock between the threads of this process
os.register_at_fork(after_in_child=THREADS.clear)


class WriterLock:
    """The two locks of one connection: acquired before its transaction begins, released when that has ended."""

    def __init__(self, path: str) -> None:
        self.path, self.file, self.owner = path, -1, 0
        self.lock: Lock | None = None

    def acquire(self, patience: float) -> bool:
        """Acquire both locks; False when that takes longer than `patience` seconds."""
        ended = monotonic() + patience
        lock = THREADS[self.path]
        if not lock.acquire(timeout=patience):
            return False
        self.lock, self.owner = lock, os.getpid()
        try:
            self.file = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except OSError:  # the folder is full or read-only: SQLite itself reports that
            return True
        while not self._ask():
            if monotonic() > ended:
                self.release()
                return False
            sleep(PAUSE)
        return True

    def _ask(self) -> bool:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # the file system has no locks: go on without the file lock
            os.close(self.file)
            self.file = -1
        return True

    def release(self) -> None:
        """Release both locks, if held. In a process forked meanwhile only its copy of the file is closed."""
        own = self.owner == os.getpid()
        if self.file >= 0:
            if own:
                # Closing alone releases no lock while a forked process has a copy.
                fcntl.flock(self.file, fcntl.LOCK_UN)
            os.close(self.file)
        if self.lock is not None and own:
            self.lock.release()
        self.file, self.lock = -1, None

    __del__ = release  # for a connection that was never closed; SQLite rolls its transaction back


def path_of(database: str, is_uri: bool = False) -> str:
    """The path of the file of a database (https://sqlite.org/uri.html); "" for one in memory."""
    if is_uri and database.startswith("file:"):
        parts = urlsplit(database)
        database = "" if "memory" in parse_qs(parts.query).get("mode", ()) else unquote(parts.path)
    return "" if ":memory:" in database else database


class QueuedCursor(library.Cursor):
    """Runs each statement while its connection holds the locks."""

    def execute(self, statement: str, *parameters: Any) -> Any:
        return self.connection.run_locked(statement, super().execute, statement, *parameters)

    def executemany(self, statement: str, *parameters: Any) -> Any:
        return self.connection.run_locked(statement, super().executemany, statement, *parameters)

    def executescript(self, script: str) -> Any:
        """Commits first; a transaction that the script begins does not wait in the queue."""
        return self.connection.run_locked("", super().executescript, script)


class QueuedConnection(library.Connection):
    """A connection whose writers queue."""

    patience = 0.0  # seconds, as busy_timeout

    def __init__(self, database: str, *given: Any, timeout: float, **options: Any) -> None:
        super().__init__(database, *given, timeout=timeout, **options)
        self.patience, path = timeout, path_of(str(database), bool(options.get("uri")))
        self.writer_lock = WriterLock(f"{Path(path).resolve()}-queue") if path else None

    def cursor(self, factory: Any = QueuedCursor) -> Any:
        return super().cursor(factory)

    def run_locked(self, statement: str, run: Any, *given: Any) -> Any:
        """Run a statement; one that begins a write transaction first waits in the queue."""
        if self.writer_lock is None:
            return run(*given)
        try:
            if not self.in_transaction and BEGINS.match(statement):
                self.writer_lock.release()  # held since a COMMIT that was executed as SQL
                if not self.writer_lock.acquire(self.patience):
                    raise library.OperationalError("database is locked")
            return run(*given)
        finally:
            self.release()

    def release(self) -> None:
        if self.writer_lock is not None and not self.in_transaction:
            self.writer_lock.release()

    def commit(self) -> None:
        super().commit()
        self.release()

    def rollback(self) -> None:
        super().rollback()
        self.release()

    def __exit__(self, *error: Any) -> Any:
        answer = super().__exit__(*error)
        self.release()
        return answer

    def close(self) -> None:
        super().close()
        if self.writer_lock is not None:
            self.writer_lock.release()
