"""Commands search …: check and rebuild the search index."""

import click
from flask_babel import gettext as _

from models import access
from models.database import search
from models.workflow import Refused
from views.terminal.group import Terminal

searching = Terminal("search", help="商品名称和出版单位的检索索引：核对、重建。")


@searching.command(help="核对索引与商品名称、出版单位是否一致。")
def check() -> None:
    with access.everything() as session:
        if not search.check(session.connection()):
            raise Refused(_("检索索引与登记的名称不一致，请运行 search rebuild 重建。"))
    click.echo(_("检索索引与登记的名称一致。"))


@searching.command(help="按现有名称重建索引；一百万份约半分钟，期间不能保存。")
def rebuild() -> None:
    with access.everything() as session:
        search.rebuild(session.connection())
        session.commit()
    click.echo(_("检索索引已重建。"))
