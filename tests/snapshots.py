"""Applications that acts have made once in this process, put back instead of made again.

Making one costs more than most tests. The result is the same as long as nothing else has happened: snapshots serve
calls at the beginning of a test, before anything is committed, and before anything is patched.
"""

import filecmp
import shutil
from abc import ABC, abstractmethod
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any
from weakref import WeakSet

import psycopg
import pytest
from flask import Flask

from models import clock
from models.database.sqlite import library as sqlite
from tests.cast import create_application

MOST = 150  # snapshots of one process, a good MB each
QUEUES = ("paper_task", "customs_message")
PATCHES: WeakSet[pytest.MonkeyPatch] = WeakSet()  # also those of `context()`
Calls = tuple[tuple[str, str, int, str], ...]  # (by, status, carriers, other fields) of each call so far


class Snapshots(ABC):
    """Copies of the database and the store, by the calls that made them from a fresh database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remembered: dict[tuple[Calls, str], tuple[int, str]] = {}
        self.seen: set[Calls] = set()

    def remember(self, calls: Calls, made: int, store: Path) -> None:
        """Store a snapshot of the present state, if there is room."""
        if len(self.remembered) == MOST:
            return
        name = f"snapshot_{len(self.remembered)}"
        shutil.copytree(store, self.folder / name)
        self._save(name)
        self.remembered[calls, str(clock.today())] = made, name

    def put_back(self, calls: Calls, store: Path) -> int | None:
        """Restore the snapshot of these calls, and return the last call's answer; None: there is no snapshot.

        Papers and messages are queued now, so that none is reported as overdue.
        """
        made, name = self.remembered.get((calls, str(clock.today())), (None, ""))
        if made is not None:
            self._load(name)
            shutil.copytree(self.folder / name, store, dirs_exist_ok=True)
        return made

    @abstractmethod
    def is_fresh(self) -> bool:
        """Whether nothing has happened since the database was renewed."""

    @abstractmethod
    def version(self) -> object:
        """A value that changes with every commit of another connection."""

    @abstractmethod
    def close(self) -> None:
        """Close what version() needs, at the end of a test."""

    @abstractmethod
    def _save(self, name: str) -> None: ...

    @abstractmethod
    def _load(self, name: str) -> None: ...


class SqliteSnapshots(Snapshots):
    """Copies of the database file; `fresh`: the file of a fresh database."""

    def __init__(self, database: Path, fresh: Path, folder: Path) -> None:
        super().__init__(folder)
        self.database, self.fresh = database, fresh
        self.watcher: Any = None  # a connection of one test, because every test has a new file

    def is_fresh(self) -> bool:
        log = self.database.with_name(f"{self.database.name}-wal")  # commits that are not yet in the file itself
        is_empty = not log.exists() or log.stat().st_size == 0
        return is_empty and filecmp.cmp(self.database, self.fresh, shallow=False)

    def version(self) -> object:
        self.watcher = self.watcher or sqlite.connect(self.database)
        return self.watcher.execute("PRAGMA data_version").fetchone()

    def close(self) -> None:
        if self.watcher:
            self.watcher.close()
        self.watcher = None

    def _save(self, name: str) -> None:
        copy(self.database, self.folder / f"{name}.sqlite")

    def _load(self, name: str) -> None:
        copy(self.folder / f"{name}.sqlite", self.database)
        now = clock.now().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        with closing(sqlite.connect(self.database)) as database, database:
            for table in QUEUES:
                database.execute(f"UPDATE {table} SET queued_at = ?", (now,))


class PostgresqlSnapshots(Snapshots):
    """Copies of all tables, each snapshot in a schema of its own, and one of the present, fresh database."""

    def __init__(self, connection: psycopg.Connection, folder: Path, prefix: str = "") -> None:
        super().__init__(folder)
        self.connection, self.prefix = connection, prefix  # of the schemas' names
        self.first = reset_sql(connection, f"{prefix}seed")
        self.steps: dict[str, str] = {}  # name of a snapshot → SQL that restores it
        counts = (
            f"SELECT count(*) n, max(xmin::text::bigint) x FROM {table}" for table in columns_of_tables(connection)
        )
        self.counts = f"SELECT array_agg(n), array_agg(x) FROM ({' UNION ALL '.join(counts)}) all_tables"
        self.renewed: object = None

    def renew(self) -> None:
        """Restore the fresh database, and close all other connections to it."""
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        self.connection.execute(f"SELECT pg_terminate_backend(pid) {others};{self.first}".encode())
        self.renewed = self.version()

    def is_fresh(self) -> bool:
        return self.version() == self.renewed

    def version(self) -> object:
        """Number of rows and last writing transaction of each table, and the state of the sequences."""
        sequences = "SELECT array_agg(last_value ORDER BY sequencename) FROM pg_sequences"
        return [self.connection.execute(query.encode()).fetchone() for query in (self.counts, sequences)]

    def close(self) -> None:
        """Nothing to close: the connection lives as long as the process."""

    def _save(self, name: str) -> None:
        self.steps[name] = reset_sql(self.connection, f"{self.prefix}{name}")

    def _load(self, name: str) -> None:
        queue = "".join(f";UPDATE {table} SET queued_at = now()" for table in QUEUES)
        self.connection.execute(f"{self.steps[name]}{queue}".encode())


class Maker:
    """The fixture `make_application` of one test: restores a snapshot, or performs the acts."""

    def __init__(self, app: Flask, snapshots: Snapshots) -> None:
        self.app, self.snapshots, self.store = app, snapshots, Path(app.config["STORE"])
        self.settings = dict(app.config)
        self.calls: Calls | None = () if not self.store.exists() and snapshots.is_fresh() else None
        self.state = self._state()

    def _state(self) -> Any:
        """A value that changes with every commit of another connection, and with the files of the store."""
        files = [(str(file), file.stat().st_mtime_ns) for file in self.store.rglob("*")]
        return self.snapshots.version(), sorted(files)

    def __call__(self, by: str = "publisher", status: str = "draft", carriers: int = 1, **fields: Any) -> int:
        calls = self.calls
        same = self._state() == self.state and self.settings == dict(self.app.config)
        if calls is None or not same or is_patched():
            self.calls = None
            return create_application(self.app, by, status, carriers, **fields)
        calls = (*calls, (by, str(status), carriers, repr(fields)))
        made = self.snapshots.put_back(calls, self.store)
        if made is None:
            made = create_application(self.app, by, status, carriers, **fields)
            if calls in self.snapshots.seen:  # most calls with fields are never repeated
                self.snapshots.remember(calls, made, self.store)
            self.snapshots.seen.add(calls)
        self.calls, self.state = calls, self._state()
        return made


def pytest_sessionstart() -> None:
    """Have every MonkeyPatch that is made from now on listed in PATCHES; pytest has made its own before."""
    begin = pytest.MonkeyPatch.__init__

    def listed(patch: pytest.MonkeyPatch) -> None:
        begin(patch)
        PATCHES.add(patch)

    pytest.MonkeyPatch.__init__ = listed  # type: ignore[method-assign]


def is_patched() -> bool:
    """Whether anything is replaced now that is not yet undone."""
    return any(any(vars(patch).values()) for patch in PATCHES)


def copy(source: Path, target: Path) -> None:
    """Copy a database as one transaction, while others have it open."""
    with closing(sqlite.connect(source)) as original, closing(sqlite.connect(target)) as other:
        original.backup(other)


def columns_of_tables(connection: psycopg.Connection) -> dict[str, str]:
    """Name → columns that are not computed, of all tables."""
    found = connection.execute(
        """SELECT table_name, string_agg(column_name, ',') FROM information_schema.columns
        WHERE table_schema = 'public' AND is_generated = 'NEVER' AND table_name <> 'alembic_version' GROUP BY 1"""
    )
    return dict(found.fetchall())


def reset_sql(connection: psycopg.Connection, schema: str) -> str:
    """SQL that empties every table and restores its present rows, copied to a schema; triggers do not run."""
    steps = ["SET session_replication_role = replica"]
    connection.execute(f"CREATE SCHEMA {schema}".encode())
    for table, columns in columns_of_tables(connection).items():
        steps.append(f"DELETE FROM public.{table}")
        if connection.execute(f"SELECT FROM public.{table} LIMIT 1".encode()).fetchone() is not None:
            connection.execute(f"CREATE TABLE {schema}.{table} AS SELECT {columns} FROM public.{table}".encode())
            steps.append(f"INSERT INTO public.{table} ({columns}) TABLE {schema}.{table}")
    for name, last in connection.execute(
        "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
    ).fetchall():
        steps.append(f"SELECT setval('public.{name}', {last or 1}, {bool(last)})")
    return ";".join(steps)
