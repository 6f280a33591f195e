"""Applications that acts have made once in this process, put back instead of made again (SQLite only).

Making one costs more than most tests. The result is the same as long as nothing else has happened: snapshots serve
calls at the beginning of a test, before anything is committed, and tests that patch nothing.
"""

import filecmp
import shutil
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

from flask import Flask

from models import clock
from models.database.sqlite import library as sqlite
from tests.cast import create_application

MOST = 60  # snapshots of one process, a good MB each
Calls = tuple[tuple[str, str, int], ...]  # (by, status, carriers) of each call so far


class Snapshots:
    """Copies of the database file and the store, by the calls that made them from a fresh database."""

    def __init__(self, database: Path, fresh: Path, folder: Path) -> None:
        self.database, self.fresh, self.folder = database, fresh, folder
        self.remembered: dict[tuple[Calls, str], tuple[int, Path]] = {}

    def remember(self, calls: Calls, made: int, store: Path) -> None:
        """Store a snapshot of the present state."""
        place = self.folder / str(len(self.remembered))
        shutil.copytree(store, place / "store")
        copy(self.database, place / "filing.sqlite")
        self.remembered[calls, str(clock.today())] = made, place

    def put_back(self, calls: Calls, store: Path) -> int | None:
        """Restore the snapshot of these calls, and return the last call's answer; None: there is no snapshot."""
        made, place = self.remembered.get((calls, str(clock.today())), (None, self.folder))
        if made is not None:
            copy(place / "filing.sqlite", self.database)
            shutil.copytree(place / "store", store, dirs_exist_ok=True)
            self.queue_now()
        return made

    def queue_now(self) -> None:
        """Set the queue time of papers to now, so that none is reported as overdue."""
        now = clock.now().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        with closing(sqlite.connect(self.database)) as database, database:
            database.execute("UPDATE paper_task SET queued_at = ?", (now,))


class Maker:
    """The fixture `make_application` of one test: restores a snapshot, or performs the acts."""

    def __init__(self, app: Flask, snapshots: Snapshots) -> None:
        self.app, self.snapshots, self.store = app, snapshots, Path(app.config["STORE"])
        self.settings = dict(app.config)
        self.watcher = sqlite.connect(snapshots.database)
        fresh = not self.store.exists() and filecmp.cmp(snapshots.database, snapshots.fresh, shallow=False)
        self.calls: Calls | None = () if fresh else None
        self.state = self._state()

    def _state(self) -> Any:
        """A value that changes with every commit of another connection, and with the files of the store."""
        files = [(str(file), file.stat().st_mtime_ns) for file in self.store.rglob("*")]
        return self.watcher.execute("PRAGMA data_version").fetchone(), sorted(files)

    def __call__(self, by: str = "publisher", status: str = "draft", carriers: int = 1, **fields: Any) -> int:
        calls = self.calls
        if calls is None or fields or self._state() != self.state or self.settings != dict(self.app.config):
            self.calls = None
            return create_application(self.app, by, status, carriers, **fields)
        calls = (*calls, (by, str(status), carriers))
        made = self.snapshots.put_back(calls, self.store)
        if made is None:
            made = create_application(self.app, by, status, carriers)
            if len(self.snapshots.remembered) < MOST:
                self.snapshots.remember(calls, made, self.store)
        self.calls, self.state = calls, self._state()
        return made


def copy(source: Path, target: Path) -> None:
    """Copy a database as one transaction, while others have it open."""
    with closing(sqlite.connect(source)) as original, closing(sqlite.connect(target)) as other:
        original.backup(other)
