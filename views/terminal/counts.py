"""Commands on the counts that 统计 adds up."""

import click
from flask_babel import gettext as _

from models import access
from models.database import read_one_moment
from models.log import Operation
from models.statistics import folding
from models.workflow import Refused
from views.terminal.group import Terminal
from views.terminal.logged import note_and_commit

counts = Terminal("statistics", help="统计的计数：核对、重建。")


@counts.command(help="核对计数与登记的办理是否一致。")
def check() -> None:
    with access.everything() as session:
        read_one_moment(session)  # acts are counted meanwhile
        if not folding.check(session):
            raise Refused(_("统计的计数与登记的办理不一致，请运行 statistics rebuild 重建。"))
    click.echo(_("统计的计数与登记的办理一致。"))


@counts.command(help="按登记的办理重新计数；期间可以照常办理，统计页面较慢。")
def rebuild() -> None:
    with access.everything() as session:
        done = folding.rebuild(session)
        note_and_commit(session, Operation.STATISTICS_REBUILT, "", done)
    click.echo(_("已重新计数：%(count)s 次办理。", count=done))
