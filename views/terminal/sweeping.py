"""Command sweep."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import access, backup
from models.backup import registered_store
from models.log import Operation
from views.resources import store
from views.terminal.backups import ended_by_sigterm, report_lost
from views.terminal.group import Sentence
from views.terminal.logged import note_and_commit, reason


@click.command(cls=Sentence, help="清理无主文件、过期的验证码、登录记录、消息和邮件记录。")
@click.option("--check", is_flag=True, help="只核对：列出登记在册而存储中缺失的文件，不清理任何内容")
def sweep(check: bool) -> None:
    state = _("清理没有完成。")
    with access.everything() as session:
        if not check:
            swept: Counter[str] = Counter()
            with _reported(session, swept), ended_by_sigterm(), backup.errors_as_refusals(state):
                for what, count in backup.sweep(session, store()):
                    swept[what] += count
            return
        with backup.errors_as_refusals(state, begun=False):
            missing = backup.missing_files(session, store())
            registered_store.record_check(session, len(missing))
            report_lost(missing)
            click.echo(_("登记在册的文件都在存储中。"))


@contextmanager
def _reported(session: Session, swept: Counter[str]) -> Iterator[None]:
    """Log and print what the block has deleted; where it fails, log its reason, too, and raise it again.

    A block that has deleted nothing before it fails is not logged.
    """
    failure: list[str] = []
    try:
        yield
    except BaseException as failed:
        session.rollback()
        failure = [str(reason(failed))]
        raise
    finally:
        done = [f"{what} {count}" for what, count in swept.items()]
        if done:
            note_and_commit(session, Operation.SWEPT, "；".join(done + failure))
        for what, count in swept.items():
            click.echo(_("%(what)s：清理 %(count)s 项。", what=what, count=count))
