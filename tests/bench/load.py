"""Loads rows by the fastest way of each driver: prepared INSERT on SQLite, COPY on PostgreSQL.

Triggers, foreign keys and indexes that are not unique are removed meanwhile, and restored afterwards, also after an
error. As rows are unchecked during a load, no command of the product does this.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Index, Table, text
from sqlalchemy.orm import Session

from models.application import Application
from models.application.attachments import Attachment
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.clock import Moment
from models.customs import CustomsMessage
from models.database import search, triggers, uncounted_acts
from models.vocabulary import WordColumn

FILLED: tuple[Any, ...] = (Application, Attachment, Carrier, Certificate, TrailEntry, CustomsMessage)
CACHE = 400_000  # kilobytes: holds the index of a million seals, into which new ones are inserted at random places
HASTE = {
    "sqlite": (
        "PRAGMA foreign_keys=OFF", "PRAGMA synchronous=OFF", "PRAGMA temp_store=MEMORY",
        f"PRAGMA cache_size=-{CACHE}",
    ),
    "postgresql": (
        "SET LOCAL session_replication_role = replica",  # no foreign keys; superusers only
        "SET LOCAL synchronous_commit = off", f"SET LOCAL maintenance_work_mem = '{CACHE}kB'",
        "SET LOCAL statement_timeout = 0",
    ),
}  # fmt: skip

Row = dict[str, Any]


@contextmanager
def unguarded(session: Session, whole: bool) -> Iterator[None]:
    """Without triggers and, for a `whole` load, without the search index and indexes; all are back at the end.

    Commits at both ends; rolls back what was not committed within.
    """
    session.commit()  # SQLite changes none of this inside a transaction
    skip_fsync(session)
    triggers.remove(session.connection())
    uncounted_acts.remove(session.connection())
    indexes = _drop_indexes(session) if whole else []
    session.commit()
    try:
        yield
    finally:
        session.rollback()
        skip_fsync(session)
        for index in indexes:
            index.create(session.connection())
        search.install(session.connection())
        triggers.install(session.connection())
        uncounted_acts.install(session.connection())
        _continue_keys(session)
        session.commit()
        session.connection().invalidate()  # a new connection has the usual settings
        session.rollback()


def skip_fsync(session: Session) -> None:
    """Do not wait for the disk or check foreign keys: on this connection (SQLite), in this transaction (PostgreSQL)."""
    connection = session.connection()
    for statement in HASTE[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def allow_long_statement(session: Session) -> None:
    """No time limit and no foreign keys in this transaction, for one statement over a million rows (PostgreSQL)."""
    if session.get_bind().dialect.name == "postgresql":
        skip_fsync(session)


def put(session: Session, model: Any, rows: list[Row]) -> int:
    """Insert rows that all have the same columns; Python's column defaults are added. Returns their number."""
    if not rows:
        return 0
    connection, table = session.connection(), model.__table__
    defaults = {c.name: c.default.arg for c in table.columns if c.default is not None and c.name not in rows[0]}
    assert not [name for name, value in defaults.items() if callable(value)], f"{table}: a column is missing"
    names = [*rows[0], *defaults]
    values = zip(*_columns(table, connection.dialect, names, [row | defaults for row in rows]), strict=True)
    driver: Any = connection.connection.driver_connection
    listed = ", ".join(names)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        driver.executemany(f"INSERT INTO {table.name} ({listed}) VALUES ({marks})", values)
    else:
        with driver.cursor().copy(f"COPY {table.name} ({listed}) FROM STDIN") as copy:
            for line in values:
                copy.write_row(line)
    return len(rows)


def _columns(table: Table, dialect: Any, names: list[str], rows: list[Row]) -> Iterator[Any]:
    """The values of each column, as the driver takes them."""
    for name in names:
        kind = table.c[name].type
        process: Callable[[Any], Any] | None = kind.dialect_impl(dialect).bind_processor(dialect)
        if isinstance(kind, Moment) and dialect.name == "sqlite":
            process = _as_sqlite  # as SQLAlchemy does, in a fifth of the time
        elif process and isinstance(kind, WordColumn):
            process = cache(process)
        values = map(itemgetter(name), rows)
        yield map(process, values) if process else values


def _as_sqlite(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def next_key(session: Session, model: Any) -> int:
    """The first free id of a table; nobody else may write to the table meanwhile."""
    return int(
        session.connection().execute(text(f"SELECT coalesce(max(id), 0) + 1 FROM {model.__table__.name}")).scalar_one()
    )


def _continue_keys(session: Session) -> None:
    """Set PostgreSQL's sequences behind the inserted ids; SQLite continues after the highest id by itself."""
    if session.get_bind().dialect.name == "postgresql":
        for model in FILLED:
            name = model.__table__.name
            last = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
            session.connection().execute(text(last))


def _drop_indexes(session: Session) -> list[Index]:
    """Drop the search index and all indexes that are not unique; returns the latter, to be created again."""
    search.remove(session.connection(), everything=True)
    indexes = [index for model in FILLED for index in model.__table__.indexes if not index.unique]
    for index in indexes:
        index.drop(session.connection())
    return sorted(indexes, key=lambda index: str(index.name))
