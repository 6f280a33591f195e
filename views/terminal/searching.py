"""Commands search …: check and rebuild what lists are searched by: the index of names, and 进口数量合计."""

import click
from flask_babel import gettext as _

from models import access, log
from models.application import totals
from models.database import search
from models.log import Operation, Place
from models.workflow import Refused
from views.terminal.group import Terminal

searching = Terminal("search", help="检索索引和进口数量合计：核对、重建。")


@searching.command(help="核对检索索引、进口数量合计与登记的商品名称、出版单位、载体信息是否一致。")
def check() -> None:
    with access.everything() as session:
        if not search.check(session.connection()):
            raise Refused(_("检索索引与登记的名称不一致，请运行 search rebuild 重建。"))
        if any(totals.differing(session)):
            raise Refused(_("进口数量合计与载体信息不一致，请运行 search rebuild 重建。"))
    click.echo(_("检索索引、进口数量合计与登记的内容一致。"))


@searching.command(help="按登记的内容重建索引（一百万份约半分钟），改正不符的进口数量合计；期间不能保存。")
def rebuild() -> None:
    with access.everything() as session:
        search.rebuild(session.connection())  # locks out other writers until the commit
        totals.rebuild(session)
        log.record(session, Operation.SEARCH_REBUILT, None, Place())
        session.commit()
    click.echo(_("检索索引和进口数量合计已重建。"))
