"""The log of what commands do."""

import click
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import log
from models.log import Operation, Place


def note_and_commit(session: Session, kind: Operation, words: str, amount: int | None = None) -> None:
    """Log what is done here, by nobody's account. What is done stays done where the database cannot be written."""
    try:
        log.record(session, kind, None, Place(), words=words, amount=amount)
        session.commit()
    except SQLAlchemyError:
        session.rollback()
        click.echo(_("数据库不能写入，这次操作没有记入操作日志，请检查数据库。"), err=True)
