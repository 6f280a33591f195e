"""The database: declarative base, constraint names, exact decimals, engine options, migration lock."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, Dialect, MetaData, Numeric, String, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
    TimeoutError,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.database import (
    computed_columns as computed_columns,
)  # registers its SQL compiler before any table is created, also by a migration
from models.database import keys as keys  # widens keys before any table is made
from models.database import postgresql, replica, seals, slow, sqlite
from models.database.locks import Lock
from models.database.migrations import Migrations

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# For session.execute(UPDATE or DELETE, **NO_SYNC): rows that the session has loaded are neither searched nor refreshed.
NO_SYNC: dict[str, Any] = {"execution_options": {"synchronize_session": False}}
MIGRATION_WAIT = 24 * 60 * 60  # seconds that a migration waits for another one on SQLite


class Base(DeclarativeBase):
    """Base of every model; derived constraint names let a migration name them on both databases."""

    metadata = MetaData(naming_convention=NAMES)


class GuardedSession(Session):
    """The session under row security. Bulk methods raise: they fire none of its events.

    `models.access` sets `is_guarded` once its rules are on this class: before that, nobody can open one.
    """

    is_guarded = False

    def __init__(self, *args: Any, **options: Any) -> None:
        if not self.is_guarded:
            raise RuntimeError("no session without row security: import models.access first")
        super().__init__(*args, **options)

    def _refuse_bulk(self, *_args: Any, **_options: Any) -> Any:
        raise RuntimeError("bulk methods bypass row security: use add(), insert() or access.everything()")

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **options: Any) -> Any:
        """As Flask-SQLAlchemy's, but returns the replica for statements that replica.chosen() allows."""
        return bind or replica.chosen(self, mapper, clause) or super().get_bind(mapper, clause, **options)

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse_bulk


db = SQLAlchemy(model_class=Base, session_options={"class_": GuardedSession})
migrate = Migrations(db, str(Path(__file__).parents[1] / "migrations"))


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
    """Configure the engine for SQLALCHEMY_DATABASE_URI, and that of REPLICA_URI; connects to nothing yet."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    options: dict[str, Any] = {"hide_parameters": True}
    timeouts = postgresql.Timeouts(**app.config.get("DATABASE_TIMEOUTS", {}))
    pooled = bool(app.config.get("DATABASE_POOLER"))
    is_sqlite = url.get_backend_name() == "sqlite"
    options |= sqlite.options() if is_sqlite else postgresql.options(timeouts, pooled)
    if (address := app.config.get("REPLICA_URI")) and not is_sqlite:
        hasty = postgresql.options(dataclasses.replace(timeouts, connect=replica.CONNECT), pooled)
        app.config["SQLALCHEMY_BINDS"] = {replica.BIND: {"url": address, "hide_parameters": True} | hasty}
    options["execution_options"] = {seals.OPTION: app.config.get("SEAL_ALGORITHM")}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options | app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})
    db.init_app(app)
    # Runs before Flask-SQLAlchemy's teardown, which would raise. Not a rollback, which would first expire every row.
    app.teardown_appcontext(lambda _error: release(db.session.remove))
    app.extensions["migrate"] = migrate
    with app.app_context():
        if replica.BIND in db.engines:
            app.extensions[replica.KEY] = replica.Replica(db.engines[replica.BIND], app.config["REPLICA_SECONDS"])
        for engine in db.engines.values():
            sqlite.prepare(engine) if is_sqlite else postgresql.prepare(engine, timeouts, pooled)
            slow.watch(engine, int(app.config.get("SLOW_STATEMENT_MS") or 0))


def lock_for_migration(connection: Connection) -> None:
    """Begin a transaction that excludes every other migration; waits for a running one, which may take long.

    The lock belongs to the transaction: when the process dies, lock and changes are released together.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        sqlite.set_busy_timeout(driver, MIGRATION_WAIT)
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver itself begins no transaction before DDL
        sqlite.set_busy_timeout(driver, sqlite.BUSY_SECONDS)
    else:
        postgresql.wait_without_end(connection)
        connection.execute(select(func.pg_advisory_xact_lock(int(Lock.MIGRATION))))


def version() -> str | None:
    """Kind and version of the database, e.g. «PostgreSQL 16.2» (SQLite: of the library). None before a connection."""
    info = getattr(db.engine.dialect, "server_version_info", None)
    name = "SQLite" if db.engine.dialect.name == "sqlite" else "PostgreSQL"
    return f"{name} {'.'.join(map(str, info))}" if info else None


def is_under_row_security() -> bool:
    """Whether the application connects as a login under row-level security (models/access/row_security.py)."""
    if db.engine.dialect.name == "sqlite":
        return False
    with db.engine.connect() as connection:
        return bool(connection.info.get(postgresql.UNDER_ROW_SECURITY))


def is_sqlite(session: OrmSession) -> bool:
    """Whether the session is on SQLite, not on PostgreSQL."""
    return session.get_bind().dialect.name == "sqlite"


def unindexed(column: Any) -> Any:
    """The column inside an expression, so that SQLite does not use its index.

    SQLite has no statistics of its values: it would read all applications of a year or province, in place of the few
    that are pending or uncounted.
    """
    return func.coalesce(column, column)


def read_one_moment(session: OrmSession) -> None:
    """Roll back and begin a snapshot: until the next rollback the session reads one state, without timeouts."""
    session.rollback()
    session.info.pop(replica.KEY, None)
    if is_sqlite(session):
        session.connection().exec_driver_sql("BEGIN")  # the driver itself begins none before it reads
    else:
        postgresql.wait_without_end(session.connection(execution_options={"isolation_level": "REPEATABLE READ"}))


def commit_and_keep(session: OrmSession) -> None:
    """Commit, but do not expire the rows, so that the response need not read them again.

    Only at the end of a request: what an UPDATE with NO_SYNC has written does not show in the rows.
    """
    session.expire_on_commit = False
    try:
        session.commit()
    finally:
        session.expire_on_commit = True


@contextmanager
def briefly(session: OrmSession, seconds: int) -> Iterator[None]:
    """Limit every wait for a lock or an answer to `seconds` inside the block, up to its first commit."""
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
        sqlite.restore_busy_timeout(driver)


def has_disk_space() -> bool:
    """Whether the disk of an SQLite database has space; always True on PostgreSQL, whose disk is not visible here."""
    try:
        return db.engine.dialect.name != "sqlite" or sqlite.has_disk_space(db.engine)
    except OSError:
        return False


def is_unique_violation(error: IntegrityError) -> bool:
    """Whether a row with the same values exists. By its code on PostgreSQL, whose words may be in any language."""
    state = getattr(error.orig, "sqlstate", None)
    return state == postgresql.UNIQUE_VIOLATION or "UNIQUE constraint" in str(error.orig)


def is_unavailable(error: SQLAlchemyError) -> bool:
    """Whether the error means that the database is unavailable now, so that the same request may succeed later."""
    if getattr(getattr(error, "orig", None), "sqlstate", None) == postgresql.READ_ONLY:
        return True
    if isinstance(error, (InterfaceError, OperationalError)):
        return not sqlite.is_programming_error(error.orig)
    return isinstance(error, (PendingRollbackError, TimeoutError)) or bool(getattr(error, "connection_invalidated", 0))


def release(end: Callable[[], None] = db.session.rollback) -> None:
    """Roll back (or `end`) this request's session, if any, so that it can be used again after any error."""
    try:
        if db.session.registry.has():
            end()
    except Exception:  # a lost connection, or an error within a commit: give up the session with its connection
        db.session.registry.clear()
