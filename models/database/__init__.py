"""The database: declarative base, constraint names, exact decimals, engine options, migration lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, Dialect, MetaData, Numeric, String, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.database import (
    computed_columns as computed_columns,
)  # registers its SQL compiler before any table is created, also by a migration
from models.database import postgresql, sqlite
from models.database.locks import Lock

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

MIGRATION_WAIT = 24 * 60 * 60 * 1000  # ms that a migration waits for another one on SQLite


class Base(DeclarativeBase):
    """Base of every model; derived constraint names let a migration name them on both databases."""

    metadata = MetaData(naming_convention=NAMES)


class GuardedSession(Session):
    """The session under row security (`models.access`). Bulk methods raise: they fire none of its events."""

    def _refuse_bulk(self, *_args: Any, **_options: Any) -> Any:
        raise RuntimeError("bulk methods bypass row security: use add(), insert() or access.everything()")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse_bulk


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
    """1000.00000 → 1000, 0.50 → 0.5: the same digits on both databases, never with an exponent."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def init_app(app: Flask) -> None:
    """Configure the engine for SQLALCHEMY_DATABASE_URI; connects to nothing yet."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        options |= sqlite.options()
    else:
        timeouts = postgresql.Timeouts(**app.config.get("DATABASE_TIMEOUTS", {}))
        options |= postgresql.options(timeouts)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options | app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})
    db.init_app(app)
    app.teardown_appcontext(lambda _error: release())  # runs before Flask-SQLAlchemy's, which would raise
    migrate.init_app(app, db)
    with app.app_context():
        if url.get_backend_name() == "sqlite":
            sqlite.prepare(db.engine)
        else:
            postgresql.prepare(db.engine, timeouts)


def lock_for_migration(connection: Connection) -> None:
    """Begin a transaction that excludes every other migration; waits for a running one, which may take long.

    The lock belongs to the transaction: when the process dies, lock and changes are released together.
    """
    if connection.dialect.name == "sqlite":
        previous = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        connection.exec_driver_sql(f"PRAGMA busy_timeout={MIGRATION_WAIT}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver itself begins no transaction before DDL
        connection.exec_driver_sql(f"PRAGMA busy_timeout={previous}")
    else:
        postgresql.wait_without_end(connection)
        connection.execute(select(func.pg_advisory_xact_lock(int(Lock.MIGRATION))))


def version() -> str | None:
    """Kind and version of the database, e.g. «postgresql 16.2» (SQLite: of the library). None before a connection."""
    info = getattr(db.engine.dialect, "server_version_info", None)
    return f"{db.engine.dialect.name} {'.'.join(map(str, info))}" if info else None


def read_one_moment(session: OrmSession) -> None:
    """From here to the next rollback the session reads the database as it is at its first query, without time-outs."""
    session.rollback()
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("BEGIN")  # the driver itself begins none before it reads
    else:
        postgresql.wait_without_end(session.connection(execution_options={"isolation_level": "REPEATABLE READ"}))


@contextmanager
def briefly(session: OrmSession, seconds: int) -> Iterator[None]:
    """In this block, up to its first commit, neither a lock nor an answer is waited for longer than `seconds`."""
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        postgresql.wait_briefly(connection, seconds)
        yield
        return
    sqlite.set_busy_timeout(driver, seconds)
    try:
        yield
    finally:
        sqlite.set_busy_timeout(driver, sqlite.BUSY_SECONDS)


def has_room() -> bool:
    """Whether the disk of SQLite has room for more; of PostgreSQL's disk only its server knows."""
    try:
        return db.engine.dialect.name != "sqlite" or sqlite.has_room(db.engine)
    except OSError:
        return False


def is_unavailable(error: SQLAlchemyError) -> bool:
    """Whether the database cannot be reached or cannot work just now: later the same request may succeed."""
    if getattr(getattr(error, "orig", None), "sqlstate", None) == postgresql.READ_ONLY:
        return True
    if isinstance(error, (InterfaceError, OperationalError)):
        return not sqlite.is_programming_error(error.orig)
    return isinstance(error, (PendingRollbackError, TimeoutError)) or bool(getattr(error, "connection_invalidated", 0))


def release() -> None:
    """Roll back this request's session, if any; afterwards it can be used again, whatever had failed in it."""
    try:
        if db.session.registry.has():
            db.session.rollback()
    except Exception:  # a lost connection, or an error within a commit: give up the session with its connection
        db.session.registry.clear()
