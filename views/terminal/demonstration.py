"""Command demo."""

from pathlib import Path

import click
from flask import current_app
from flask_babel import gettext as _

from models import access, codes, log
from models.log import Operation, Place
from views import demo
from views.demo import signing_keys
from views.resources import office, store
from views.terminal.group import Sentence


@click.command("demo", cls=Sentence, help="装入演示账号和演示申请；重复运行不会重复添加。")
def load_demo() -> None:
    """Add the demo accounts and applications, and demo signing keys if there are no keys."""
    if signing_keys.establish(Path(current_app.config["SIGNING_KEY"]), codes.names_of("province")):
        click.echo(_("已建立演示签章机构，其签章没有法律效力。"))
    with access.everything() as session:
        cast = demo.add_people(session)
        filed = demo.file_cases(session, cast, store(), office(), int(current_app.config["ATTACHMENT_MB"]) << 20)
        if filed:
            log.record(session, Operation.DEMO_LOADED, None, Place(), amount=filed)
        session.commit()
        click.echo(_("新增 %(count)s 份演示申请。", count=filed) if filed else _("演示数据已在，没有重复添加。"))
        click.echo(_("演示账号（密码均为 %(password)s）：", password=demo.PASSWORD))
        for account in cast.values():
            place = account.organisation.name if account.organisation else account.province
            where = codes.names_of("province").get(str(place), place) or ""
            click.echo(f"  {account.username:<12}{account.role.label}  {account.name}  {where}".rstrip())
