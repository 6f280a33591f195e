"""Log entries of commands whose work is outside the database, or committed in parts while it goes on.

What a command changes in one transaction has its entry in that transaction (models/log, `record`).
"""

import click
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import log
from models.log import Operation, Place


def note_and_commit(session: Session, kind: Operation, words: str, amount: int | None = None, about: str = "") -> None:
    """Add a log entry without an account, and commit. If the database cannot be written, print a warning instead."""
    try:
        log.record(session, kind, None, Place(), about, words=words, amount=amount)
        session.commit()
    except SQLAlchemyError:
        session.rollback()
        click.echo(_("数据库不能写入，这次操作没有记入操作日志，请检查数据库。"), err=True)
