"""The mark in the database that a restore has begun and is not finished: until then it is no register to work with.

It lies in a table of its own, which no backup and no migration knows.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column, Engine, MetaData, String, Table, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from models import clock
from models.clock import Moment
from models.database import db

NAME = "unfinished_restore"
MARK = Table(NAME, MetaData(), Column("began_at", Moment, nullable=False), Column("identity", String(32)))


def begin(engine: Engine, identity: str) -> None:
    """Mark the database; `identity` is the one that the store gets. A former mark is replaced."""
    with engine.begin() as connection:
        MARK.create(connection, checkfirst=True)
        connection.execute(MARK.delete())
        connection.execute(insert(MARK).values(**values(identity)))


def values(identity: str) -> dict[str, Any]:
    """The one row of the mark."""
    return {"began_at": clock.now(), "identity": identity}


def found(engine: Engine) -> tuple[datetime, str] | None:
    """When the unfinished restore began, and the identity that its store has or gets; None: nothing is unfinished."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(NAME):
            return None
        row = connection.execute(select(MARK)).first()
        return (row.began_at, row.identity) if row else None


def is_there() -> bool:
    """Whether the database of this application is marked; False where it does not answer, or is no file yet."""
    engine = db.engine
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file and not Path(file).exists():
        return False
    try:
        return found(engine) is not None
    except SQLAlchemyError:
        return False


def sentence() -> str:
    """Why nothing can be done now."""
    return _("上一次恢复没有完成，系统暂不能使用。请重新运行 restore，完成后再启动。")
