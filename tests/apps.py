"""An application on a database of its own, made by the same steps as the real one."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Connection, Engine

from app import create_app
from models import access
from models.codes import names_of
from models.database import db, seals, triggers
from tests.cast import add_cast
from tests.snapshots import PostgresqlSnapshots, Snapshots
from views.demo import signing_keys

POSTGRESQL = "postgres@127.0.0.1:5432"


@dataclass(frozen=True)
class PreparedApp:
    """An application on a database of its own, a function that resets that database, and snapshots of earlier tests.

    `schema`: a digest of tables, columns, triggers and policies, where the tests of a process share them.
    """

    app: Flask
    renew: Callable[[], object]
    snapshots: Snapshots | None = None
    schema: Callable[[], object] = lambda: None


def settings_of(address: str, folder: Path) -> dict[str, Any]:
    """The settings of an application on this database, with store and keys in this folder."""
    return {
        "TESTING": True,
        "CAPTCHA": False,
        "SECRET_KEY": secrets.token_hex(),
        "SQLALCHEMY_DATABASE_URI": address,
        "STORE": str(folder / "store"),
        "SIGNING_KEY": str(folder / "keys"),
    }


def prepare_app(address: str, folder: Path) -> Flask:
    """An application whose database was made by the same steps as the real one, with the cast in it."""
    app = create_app(settings_of(address, folder))
    with app.app_context():
        signing_keys.establish(folder / "keys", names_of("province"))
        upgrade()
        with access.everything() as session:
            add_cast(session)
        db.session.remove()
        db.engine.dispose()
    return app


@contextmanager
def new_database(server: psycopg.Connection, name: str) -> Iterator[str]:
    """A database on the server, dropped afterwards even with open connections."""
    server.execute(f"CREATE DATABASE {name}".encode())
    server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())  # tests need no durability
    try:
        yield f"postgresql+psycopg://{POSTGRESQL}/{name}"
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


OWNERS: dict[str, Engine] = {}  # address of a login under row-level security → the owner of the same database


def engine_of_owner(app: Flask) -> Engine:
    """An engine for the database of an application that connects as the owner of its tables."""
    return OWNERS.get(app.config["SQLALCHEMY_DATABASE_URI"], db.engine)


@contextmanager
def without_triggers(connection: Connection) -> Iterator[None]:
    """Remove the triggers and install them again: later tests of the process have the same database. Commits nothing.

    After an error roll back, which restores them on both databases.
    """
    triggers.remove(connection)
    yield
    triggers.install(connection)


SCHEMA = """SELECT md5(string_agg(part, E'\\n' ORDER BY part)) FROM (
  SELECT concat_ws(' ', attrelid::regclass, attname, atttypid::regtype, attnotnull) FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL SELECT concat_ws(' ', relname, relrowsecurity) FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', tablename, policyname) FROM pg_policies) parts (part)"""


def schema_of(connection: psycopg.Connection) -> Callable[[], object]:
    """A function that returns a digest of the schema, to find a test that changes it for all later ones."""
    return lambda: connection.execute(SCHEMA).fetchone()


@contextmanager
def shared_app(server: psycopg.Connection, folder: Path) -> Iterator[PreparedApp]:
    """The application on PostgreSQL that all tests of this process share, on a database of its own."""
    with new_database(server, f"filing_test_{os.getpid()}") as address:
        app = prepare_app(address, folder)
        with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
            (folder / "snapshots").mkdir()
            snapshots = PostgresqlSnapshots(connection, folder / "snapshots")
            yield PreparedApp(app, snapshots.renew, snapshots, schema_of(connection))


def seal_by(app: Flask, algorithm: str) -> None:
    """Seal entries from now on as after a start with this FILING_SEAL_ALGORITHM."""
    with app.app_context():
        db.engine.update_execution_options(**{seals.OPTION: algorithm})


def is_on_sqlite(app: Flask) -> bool:
    return str(app.config["SQLALCHEMY_DATABASE_URI"]).startswith("sqlite")
