"""Writers of one SQLite file take turns by a lock on a file beside it."""

import errno
import fcntl
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from models.database import sqlite, sqlite_queue
from models.database.sqlite_queue import QueuedConnection, library
from tests.models.database.test_sqlite import engine_on

INSERT = text("INSERT INTO t VALUES (:a)")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = engine_on(tmp_path / "a.sqlite")
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE t (a UNIQUE)"))
    return made


def fail(connection: Connection) -> None:
    with pytest.raises(IntegrityError):
        connection.execute(INSERT, {"a": 1})
    connection.rollback()


@pytest.mark.parametrize("end", [Connection.commit, Connection.rollback, Connection.close, fail])
def test_the_write_lock_ends_with_the_transaction_in_every_case(
    engine: Engine, end: Callable[[Connection], None]
) -> None:
    with engine.connect() as first, engine.connect() as second:
        sqlite.set_busy_timeout(second.connection.driver_connection, 0)
        first.execute(INSERT, {"a": 1})
        with pytest.raises(OperationalError, match="locked"):
            second.execute(INSERT, {"a": 2})
        second.rollback()
        end(first)
        second.execute(INSERT, {"a": 2})
        second.commit()


def test_a_waiting_writer_gets_the_write_lock_within_milliseconds(engine: Engine) -> None:
    """SQLite's own waiting sleeps up to 100 ms between two tries, in which others come first."""
    waited: list[float] = []
    committed: Any = None

    def write() -> None:
        with engine.connect() as connection:
            connection.execute(INSERT, {"a": 2})
            waited.append(monotonic() - committed)
            connection.commit()

    with engine.connect() as first:
        first.execute(INSERT, {"a": 1})
        waiter = Thread(target=write)
        waiter.start()
        sleep(0.5)  # by then SQLite would sleep 100 ms
        first.commit()
        committed = monotonic()
        waiter.join()
    assert waited[0] < 0.08


def test_a_killed_process_releases_the_write_lock(engine: Engine) -> None:
    engine.dispose()
    reading, writing = os.pipe()
    if not (child := os.fork()):
        with engine.connect() as connection:
            connection.execute(INSERT, {"a": 1})
            os.write(writing, b".")
            sleep(60)
    assert os.read(reading, 1) == b"."
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with engine.begin() as connection:
        connection.execute(INSERT, {"a": 1})


def test_a_folder_without_write_access_for_the_lock_file_does_not_prevent_writing(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "a.sqlite-queue").unlink(missing_ok=True)
    (tmp_path / "a.sqlite-queue").mkdir()
    with engine.begin() as connection:
        connection.execute(INSERT, {"a": 1})


def opened(path: Path, **options: Any) -> QueuedConnection:
    """A connection of the driver itself."""
    given = {"timeout": 0, "isolation_level": "IMMEDIATE", "factory": QueuedConnection} | options
    connection: QueuedConnection = library.connect(str(path), **given)
    return connection


def run_commit(connection: QueuedConnection) -> None:
    connection.execute("COMMIT")


def run_script(connection: QueuedConnection) -> None:
    connection.executescript("SELECT 1")


def leave_block(connection: QueuedConnection) -> None:
    with connection:
        pass


@pytest.mark.parametrize("end", [run_commit, run_script, leave_block])
def test_the_write_lock_ends_when_the_transaction_is_ended_outside_the_connection_methods(
    engine: Engine, tmp_path: Path, end: Callable[[QueuedConnection], None]
) -> None:
    first, second = opened(tmp_path / "a.sqlite"), opened(tmp_path / "a.sqlite")
    first.execute("INSERT INTO t VALUES (1)")
    end(first)
    second.execute("INSERT INTO t VALUES (2)")
    second.close()


def test_a_garbage_collected_connection_releases_the_write_lock(engine: Engine, tmp_path: Path) -> None:
    """Dropped, and detached from its pool."""
    first = opened(tmp_path / "a.sqlite")
    first.execute("INSERT INTO t VALUES (1)")
    del first
    gc.collect()
    detached = engine.connect()
    sqlite.set_busy_timeout(detached.connection.driver_connection, 0)
    detached.execute(INSERT, {"a": 1})
    detached.detach()
    del detached
    gc.collect()
    opened(tmp_path / "a.sqlite").execute("INSERT INTO t VALUES (1)")


def test_a_file_system_without_locks_does_not_prevent_writing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice: the threads of one process still take turns."""

    def refuse(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    for value in (1, 2):
        with engine.begin() as connection:
            connection.execute(INSERT, {"a": value})
    assert not sqlite_queue.THREADS[f"{tmp_path}/a.sqlite-queue"].locked()


def test_only_a_database_file_has_a_lock_file_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    memory = library.connect("file:x?mode=memory", timeout=0, factory=QueuedConnection, uri=True)
    for connection in (memory, library.connect(f"file:{tmp_path}/a%20b?mode=rwc", timeout=0,
                                               factory=QueuedConnection, uri=True)):  # fmt: skip
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
    assert sorted(os.listdir(tmp_path)) == ["a b", "a b-queue"]
