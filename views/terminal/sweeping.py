"""Command sweep."""

import click
from flask_babel import gettext as _

from models import access, backup
from models.backup import registered_store
from models.log import Operation
from views.resources import store
from views.terminal.backups import report_lost
from views.terminal.group import Sentence
from views.terminal.logged import note_and_commit


@click.command(cls=Sentence, help="清理无主文件、过期的验证码、登录记录、消息和邮件记录。")
@click.option("--check", is_flag=True, help="只核对：列出登记在册而存储中缺失的文件，不清理任何内容")
def sweep(check: bool) -> None:
    with access.everything() as session, backup.errors_as_refusals(_("清理没有完成。"), begun=False):
        if check:
            missing = backup.missing_files(session, store())
            registered_store.record_check(session, len(missing))
            report_lost(missing)
            click.echo(_("登记在册的文件都在存储中。"))
            return
        swept = backup.sweep(session, store())
        note_and_commit(session, Operation.SWEPT, "；".join(f"{what} {count}" for what, count in swept.items()))
        for what, count in swept.items():
            click.echo(_("%(what)s：清理 %(count)s 项。", what=what, count=count))
