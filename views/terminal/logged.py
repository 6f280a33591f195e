"""Log entries of commands whose work is outside the database, or committed in parts while it goes on.

What a command changes in one transaction has its entry in that transaction (models/log, `record`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
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
    """Add a log entry without an account, and commit. If it cannot be written, it goes to the process log instead."""
    try:
        log.record(session, kind, None, Place(), about, words=words, amount=amount)
        session.commit()
    except SQLAlchemyError:
        session.rollback()
        click.echo(_("数据库不能写入，这次操作没有记入操作日志，请检查数据库。"), err=True)
        current_app.logger.error("not in the log: %s %s %s %s", kind.value, about, words, amount)


@contextmanager
def failure_noted(session: Session, kind: Operation, words: str) -> Iterator[None]:
    """Log a failure of the block, with its reason, and raise it again.

    It goes to the process log where no table exists, and while another process restores into this database.
    """
    try:
        yield
    except (Refused, OSError, SQLAlchemyError, KeyboardInterrupt) as failed:
        session.rollback()
        sentence = _("%(subject)s：%(why)s", subject=words, why=reason(failed))
        if _has_log():
            note_and_commit(session, kind, sentence)
        else:
            current_app.logger.error("not in the log: %s %s", kind.value, sentence)
        raise


def reason(failed: BaseException) -> object:
    """The sentence of an error for the log."""
    if isinstance(failed, KeyboardInterrupt):
        return _("操作被中断。")
    return no_answer(failed) if isinstance(failed, SQLAlchemyError) else failed


def _has_log() -> bool:
    """Whether the tables exist, and nobody replaces them; connecting to an absent SQLite file creates it."""
    try:
        return revision.current() is not None and not unfinished_restore.is_running()
    except SQLAlchemyError:
        return True
