"""Log entries of commands whose work is outside the database, or committed in parts while it goes on.

What a command changes in one transaction has its entry in that transaction (models/log, `record`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import log
from models.backup import unfinished_restore
from models.database import revision
from models.log import Operation, Place
from models.workflow import Refused
from views.terminal.group import no_answer


def note_and_commit(session: Session, kind: Operation, words: str, amount: int | None = None, about: str = "") -> None:
    """Add a log entry without an account, and commit. If the database cannot be written, print a warning instead."""
    try:
        log.record(session, kind, None, Place(), about, words=words, amount=amount)
        session.commit()
    except SQLAlchemyError:
        session.rollback()
        click.echo(_("数据库不能写入，这次操作没有记入操作日志，请检查数据库。"), err=True)


@contextmanager
def failure_noted(session: Session, kind: Operation, words: str) -> Iterator[None]:
    """Log a failure of the block, with its reason, and raise it again.

    Not where no table exists yet, nor after a restore has begun to replace them.
    """
    try:
        yield
    except (Refused, OSError, SQLAlchemyError) as failed:
        session.rollback()
        if _has_log() and not unfinished_restore.is_unfinished():
            why = no_answer(failed) if isinstance(failed, SQLAlchemyError) else failed
            note_and_commit(session, kind, _("%(subject)s：%(why)s", subject=words, why=why))
        raise


def _has_log() -> bool:
    """Whether the tables exist, as far as the database answers; connecting to an absent SQLite file creates it."""
    try:
        return revision.current() is not None
    except SQLAlchemyError:
        return True
