"""`flask upgrade` in several processes at once: one waits for the other, and a killed process releases its lock."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from models.database import db, sqlite
from tests import ROOT
from tests.apps import new_database

DONE = "数据库结构已是最新。\n"


class Place:
    """An empty database; whether a migration holds its lock; whether a process waits for that; how many tables."""

    def __init__(
        self,
        address: str,
        store: Path,
        is_locked: Callable[[], bool],
        waits: Callable[[int], bool],
        tables: Callable[[], int],
    ) -> None:
        self.address, self.store, self.is_locked, self.waits, self.tables = address, store, is_locked, waits, tables

    def upgrade(self) -> subprocess.Popen[str]:
        """A process of its own, as a person starts it."""
        outside = {"FILING_SQLALCHEMY_DATABASE_URI": self.address, "FILING_SECRET_KEY": "s"}
        outside |= {"FILING_STORE": str(self.store)}
        command = [sys.executable, "-m", "flask", "--app", "app", "upgrade"]
        return subprocess.Popen(
            command, cwd=ROOT, env=os.environ | outside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield on_sqlite(tmp_path / "new.sqlite")
        return
    with (
        new_database(request.getfixturevalue("postgresql"), f"filing_upgrade_{os.getpid()}") as address,
        psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection,
    ):

        def count(words: bytes) -> int:
            return int(connection.execute(words).fetchall()[0][0])

        lock = b"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND %sgranted AND database = "
        lock += b"(SELECT oid FROM pg_database WHERE datname = current_database())"
        tables = b"SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        waits = lock.replace(b"%s", b"NOT ")
        granted = lock.replace(b"%s", b"")
        yield Place(
            address,
            tmp_path / "store",
            lambda: bool(count(granted)),
            lambda _process: bool(count(waits)),
            lambda: count(tables),
        )


def on_sqlite(path: Path) -> Place:
    """A file that is not there yet."""
    count = "SELECT count(*) FROM sqlite_master WHERE type = 'table'"

    def asked(statement: str) -> int:
        connection = sqlite.library.connect(str(path), timeout=0, isolation_level=None)
        try:
            row = connection.execute(statement).fetchone()
            return int(row[0]) if row else 0
        finally:
            connection.close()

    def locked(statement: str) -> bool:
        try:
            asked(statement)
        except sqlite.library.OperationalError:
            return True
        return False

    def is_locked() -> bool:
        """Who changes a new file to a write-ahead log locks it whole, readers too: that is before any migration."""
        logged = path.exists() and path.read_bytes()[18:20] == b"\2\2"
        return logged and not locked(count) and locked("BEGIN IMMEDIATE")

    def waits(process: int) -> bool:
        for file in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(file) == str(path):
                    return True
        return False

    return Place(f"sqlite:///{path}", path.parent / "store", is_locked, waits, lambda: asked(count))


def test_many_upgrades_at_once_on_an_empty_database_all_succeed(empty_database: Place) -> None:
    processes = [empty_database.upgrade() for _ in range(3)]
    answers = [process.communicate() for process in processes]
    assert [(process.returncode, output) for process, (output, _why) in zip(processes, answers, strict=True)] == [
        (0, DONE)
    ] * 3, answers
    assert empty_database.tables() >= len(db.metadata.tables)


def test_an_upgrade_waits_for_one_that_is_killed_and_rolled_back(empty_database: Place) -> None:
    """SIGSTOP while the lock is held, so that the second must wait; then SIGKILL."""
    first = empty_database.upgrade()
    while not empty_database.is_locked():
        assert first.poll() is None, first.communicate()
        time.sleep(0.002)
    first.send_signal(signal.SIGSTOP)
    assert empty_database.is_locked()
    assert empty_database.tables() == 0
    second = empty_database.upgrade()
    while not empty_database.waits(second.pid):
        assert second.poll() is None, second.communicate()
        time.sleep(0.01)
    assert second.poll() is None
    assert empty_database.tables() == 0
    first.kill()
    first.communicate()
    assert (second.communicate()[0], second.returncode) == (DONE, 0)
    assert empty_database.tables() >= len(db.metadata.tables)
