"""Checkpoints of a database, one after the other, beside whatever a test does meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread

import psycopg
from flask import Flask
from sqlalchemy import URL

from models.database import db
from models.database.sqlite import library

PAUSE = 0.01  # seconds between two checkpoints


class RepeatedCheckpoints(Thread):
    """Makes checkpoints until `ended`; `count` is how many."""

    def __init__(self, checkpoint: Callable[[], bool]) -> None:
        super().__init__()
        self.checkpoint, self.ended, self.count = checkpoint, Event(), 0

    def run(self) -> None:
        while not self.ended.wait(PAUSE):
            self.count += self.checkpoint()


@contextmanager
def repeated_checkpoints(app: Flask) -> Iterator[RepeatedCheckpoints]:
    """Make checkpoints until the block ends, in a thread with a connection of its own."""
    with app.app_context():
        url = db.engine.url
    with _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url) as checkpoint:
        checkpoints = RepeatedCheckpoints(checkpoint)
        checkpoints.start()
        try:
            yield checkpoints
        finally:
            checkpoints.ended.set()
            checkpoints.join()


@contextmanager
def _sqlite(url: URL) -> Iterator[Callable[[], bool]]:
    """Moves the write-ahead log into the file and cuts it (not while others read); before 3.51.3 this lost commits."""
    with closing(library.connect(url.database, isolation_level=None, check_same_thread=False)) as connection:
        yield lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


@contextmanager
def _postgresql(url: URL) -> Iterator[Callable[[], bool]]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        yield lambda: bool(connection.execute("CHECKPOINT"))
