"""The database: one declarative base, named constraints, exact decimals, and how it is opened."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, Dialect, MetaData, Numeric, String, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.database import (
    computed_columns as computed_columns,
)  # must be known before any table is made, by a migration too
from models.database import postgresql, sqlite

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

MIGRATION_LOCK = 20_260_101  # any number, the same for ever: the advisory lock's on PostgreSQL
MIGRATION_WAIT = 24 * 60 * 60 * 1000  # ms that a migration waits for another one on SQLite


class Base(DeclarativeBase):
    """Every table; constraint names are derived, so that migrations can name them on both databases."""

    metadata = MetaData(naming_convention=NAMES)


class GuardedSession(Session):
    """The session that `models.access` guards; the ways past its events are shut."""

    def _shut(self, *_args: Any, **_options: Any) -> Any:
        raise RuntimeError("bulk methods pass by the row guard: use add(), insert() or the door")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _shut


db = SQLAlchemy(model_class=Base, session_options={"class_": GuardedSession})
migrate = Migrate(directory=str(Path(__file__).parents[1] / "migrations"), compare_type=True)


class Exact(TypeDecorator[Decimal]):
    """An exact decimal, never a float: NUMERIC on PostgreSQL, text on SQLite (which has no decimals)."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else Numeric(24, 5))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else tidy(Decimal(value))


def tidy(value: Decimal) -> Decimal:
    """1000.00000 → 1000, 0.50 → 0.5: the same number on both databases, never in exponents."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def init_app(app: Flask) -> None:
    """Open the database named by SQLALCHEMY_DATABASE_URI."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        options |= sqlite.options()
    else:
        timeouts = postgresql.Timeouts(**app.config.get("DATABASE_TIMEOUTS", {}))
        options |= postgresql.options(timeouts)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options | app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        if url.get_backend_name() == "sqlite":
            sqlite.prepare(db.engine)
        else:
            postgresql.prepare(db.engine, timeouts)


def lock_for_migration(connection: Connection) -> None:
    """Begin a transaction that no other migration runs beside; waits for the other one, which may take long.

    The lock is the transaction's: it goes with a process that dies, and so does what that one has changed.
    """
    if connection.dialect.name == "sqlite":
        usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        connection.exec_driver_sql(f"PRAGMA busy_timeout={MIGRATION_WAIT}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver itself begins no transaction before DDL
        connection.exec_driver_sql(f"PRAGMA busy_timeout={usual}")
    else:
        postgresql.wait_without_end(connection)
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))


def version() -> str | None:
    """The kind and version of the database; for SQLite that of the library used. None before the first connection."""
    known = getattr(db.engine.dialect, "server_version_info", None)
    return f"{db.engine.dialect.name} {'.'.join(map(str, known))}" if known else None
