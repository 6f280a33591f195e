"""Mark in the database that a restore has begun and not finished. Its table is outside all backups and migrations.

It has a row for each attempt, so that the log can name those that did not finish when one has.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column, Engine, MetaData, Row, Select, String, Table, column, func, insert, select, table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock, log
from models.backup import restore_lock
from models.clock import Moment
from models.database import db, release, sqlite
from models.log import Operation, Place

NAME = "unfinished_restore"
MARK = Table(NAME, MetaData(), Column("began_at", Moment, nullable=False), Column("identity", String(32)))
# Runs in every request: one statement, where SQLAlchemy's own check takes two on SQLite.
IS_THERE: dict[str, Select[Any]] = {
    "sqlite": select(column("name")).select_from(table("sqlite_master")).where(column("name") == NAME),
    "postgresql": select(func.to_regclass(NAME)),
}


def set_mark(engine: Engine, identity: str) -> None:
    """Mark the database with a new attempt; `identity`: of the restored store. Commits."""
    with engine.begin() as connection:
        MARK.create(connection, checkfirst=True)
        connection.execute(insert(MARK).values(began_at=clock.now(), identity=identity))


def copy_mark(engine: Engine, attempts: Sequence[Row[Any]]) -> None:
    """Mark another database with the same attempts. Commits."""
    with engine.begin() as connection:
        MARK.drop(connection, checkfirst=True)
        MARK.create(connection)
        connection.execute(insert(MARK), [dict(each._mapping) for each in attempts])


def attempts_in(engine: Engine) -> Sequence[Row[Any]]:
    """Rows (began_at, identity of the store) of a restore that has not finished, the newest last."""
    with engine.connect() as connection:
        if connection.scalar(IS_THERE[engine.dialect.name]) is None:
            return ()
        return connection.execute(select(MARK).order_by(MARK.c.began_at)).all()


def found(engine: Engine) -> tuple[datetime, str] | None:
    """(start, identity of the store) of the newest attempt; None when no restore is unfinished."""
    attempts = attempts_in(engine)
    return (attempts[-1].began_at, attempts[-1].identity) if attempts else None


def log_failures(session: Session) -> None:
    """Add a log entry for each attempt before the newest: what they logged is replaced. The caller commits."""
    for attempt in attempts_in(db.engine)[:-1]:
        words = _("%(at)s 开始的恢复没有完成，其后重新运行。", at=f"{attempt.began_at:%Y-%m-%d %H:%M:%S}")
        log.record(session, Operation.RESTORE_FAILED, None, Place(), words=words)


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
