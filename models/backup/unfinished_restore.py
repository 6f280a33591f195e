"""Mark in the database that a restore has begun and not finished. Its table is outside all backups and migrations."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column, Engine, MetaData, Select, String, Table, column, func, insert, select, table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock
from models.backup import restore_lock
from models.clock import Moment
from models.database import db, release, sqlite

NAME = "unfinished_restore"
MARK = Table(NAME, MetaData(), Column("began_at", Moment, nullable=False), Column("identity", String(32)))
# Runs in every request: one statement, where SQLAlchemy's own check takes two on SQLite.
IS_THERE: dict[str, Select[Any]] = {
    "sqlite": select(column("name")).select_from(table("sqlite_master")).where(column("name") == NAME),
    "postgresql": select(func.to_regclass(NAME)),
}


def set_mark(engine: Engine, identity: str) -> None:
    """Mark the database, replacing an existing mark; `identity`: of the restored store. Commits."""
    with engine.begin() as connection:
        MARK.create(connection, checkfirst=True)
        connection.execute(MARK.delete())
        connection.execute(insert(MARK).values(**values(identity)))


def values(identity: str) -> dict[str, Any]:
    """Column values of the only row."""
    return {"began_at": clock.now(), "identity": identity}


def found(engine: Engine) -> tuple[datetime, str] | None:
    """(start, identity of the store) of the unfinished restore; None when there is none."""
    with engine.connect() as connection:
        if connection.scalar(IS_THERE[engine.dialect.name]) is None:
            return None
        row = connection.execute(select(MARK)).first()
        return (row.began_at, row.identity) if row else None


def is_unfinished() -> bool:
    """Whether the application's database is marked; False when it does not answer or does not exist yet."""
    if sqlite.is_absent(db.engine):
        return False
    try:
        return found(db.engine) is not None
    except SQLAlchemyError:
        return False


def is_marked(session: Session) -> bool:
    """As is_unfinished(), but asks on the connection of a session: a second one costs more than the question."""
    if sqlite.is_absent(db.engine):
        return False
    try:
        return session.connection().scalar(IS_THERE[db.engine.dialect.name]) is not None and is_unfinished()
    except SQLAlchemyError:
        release()
        return False


def is_running() -> bool:
    """Whether a restore into the application's database is running now; False when the database does not answer."""
    try:
        return restore_lock.is_held(db.engine)
    except SQLAlchemyError:
        return False


def sentence() -> str:
    """The sentence of the refusal while a restore runs or is unfinished."""
    if is_running():
        return _("正在恢复备份，系统暂不能使用。请稍候，恢复完成后即可继续。")
    return _("上一次恢复没有完成，系统暂不能使用。请重新运行 restore，完成后再启动。")
