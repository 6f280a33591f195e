"""Every word of the terminal: `flask --app app …`."""

from pathlib import Path

import click
import flask_migrate
from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from models import access, backup, codes, integrity
from models.backup import registered_store, restoring
from models.database import lock_for_migration, search
from models.people.accounts import Account, Organisation
from models.people.sessions import account_named, end_visits, reset_password
from models.text import normalize_code
from models.vocabulary import Role
from models.workflow import Refused
from views import demo
from views.demo import signing_keys
from views.resources import office, store
from views.terminal import certificates, customs
from views.terminal.group import Terminal

terminal = Terminal()
terminal.add_command(customs.exchange)
terminal.add_command(certificates.papers)


def init_app(app: Flask) -> None:
    """Give the application its commands."""
    for command in terminal.commands.values():
        app.cli.add_command(command)


@terminal.command(help="建立或升级数据库结构。")
def upgrade() -> None:
    """Every migration, then the lists that ship with the code."""
    flask_migrate.upgrade()
    with access.everything() as session:
        lock_for_migration(session.connection())  # another process may be upgrading the same empty database
        codes.seed_districts(session)
        session.commit()
        click.echo(_("数据库结构已是最新。"))
        registered_store.establish(session, store())


@terminal.command("demo", help="装入演示账号和演示申请；重复运行不会重复添加。")
def show() -> None:
    """The cast of the design card, and its cases; and keys to sign them with, where there are none yet."""
    if signing_keys.establish(Path(current_app.config["SIGNING_KEY"]), codes.names_of("province")):
        click.echo(_("已建立演示签章机构，其签章没有法律效力。"))
    with access.everything() as session:
        cast = demo.people(session)
        filed = demo.cases(session, cast, store(), office(), int(current_app.config["ATTACHMENT_MB"]) << 20)
        session.commit()
        click.echo(_("新增 %(count)s 份演示申请。", count=filed) if filed else _("演示数据已在，没有重复添加。"))
        click.echo(_("演示账号（密码均为 %(password)s）：", password=demo.PASSWORD))
        for account in cast.values():
            place = account.organisation.name if account.organisation else account.province
            where = codes.names_of("province").get(str(place), place) or ""
            click.echo(f"  {account.username:<12}{account.role.label}  {account.name}  {where}".rstrip())


@terminal.group(cls=Terminal, help="账号：新增、停用、重置密码。")
def account() -> None:
    """The accounts of people; there is no public registration."""


@account.command(help="新增账号，并显示一次性密码。")
@click.argument("username")
@click.option("--name", required=True, help="姓名")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="角色")
@click.option("--organisation", help="所属单位的统一社会信用代码（出版单位账号必填）")
@click.option("--province", help="所属省份的代码或名称（省级审核账号必填）")
def add(username: str, name: str, role: str, organisation: str | None, province: str | None) -> None:
    """A new account with a one-time password."""
    with access.everything() as session:
        if account_named(session, username):
            raise Refused(_("用户名“%(username)s”已存在，请换一个。", username=username))
        person = Account(
            username=username,
            name=name,
            role=Role(role),
            organisation=_organisation(session, organisation) if organisation else None,
            province=codes.code_of("province", province) if province else None,
        )
        person.assert_complete()
        password = person.reset_password()
        session.add(person)
        session.commit()
        username = person.username
    click.echo(_("账号“%(username)s”已建立。", username=username))
    _tell(password)


@account.command(help="停用账号，并立即结束其登录。")
@click.argument("username")
def disable(username: str) -> None:
    """Shut an account; it is never deleted, for the trail names it."""
    with access.everything() as session:
        person = _person(session, username)
        person.active = False
        end_visits(session, person.id)
        session.commit()
    click.echo(_("账号“%(username)s”已停用。", username=username))


@account.command(help="重置密码，并显示一次性密码。")
@click.argument("username")
def password(username: str) -> None:
    """A new one-time password; whoever is signed in with the old one is out."""
    with access.everything() as session:
        person = _person(session, username)
        fresh = reset_password(session, person)
        session.commit()
    click.echo(_("账号“%(username)s”的密码已重置。", username=username))
    _tell(fresh)


def _person(session: Session, username: str) -> Account:
    if person := account_named(session, username):
        return person
    raise Refused(_("没有用户名为“%(username)s”的账号，请核对后再试。", username=username))


def _organisation(session: Session, credit_code: str) -> Organisation:
    code = normalize_code(credit_code) or ""
    if found := session.scalar(select(Organisation).where(Organisation.credit_code == code)):
        return found
    raise Refused(_("没有统一社会信用代码为“%(code)s”的单位，请先在系统中登记该单位。", code=credit_code))


def _tell(fresh: str) -> None:
    click.echo(_("一次性密码：%(password)s（只显示这一次，首次登录须修改）", password=fresh))


@terminal.group("trail", cls=Terminal, help="办理记录：核验是否被改动。")
def history() -> None:
    """The sealed record of every act."""


@history.command(help="核对办理记录、数据状态、证明、文件和编号是否一致，发现不符时列出并以状态 1 退出。")
def verify() -> None:
    """Every contradiction between trail, status, certificate, paper and numbers."""
    with access.everything() as session:
        found = 0
        for sentence in integrity.contradictions(session, store()):
            click.echo(sentence)
            found += 1
    if found:
        raise Refused(_("发现 %(count)s 处不符，请立即查明原因。", count=found))
    click.echo(_("办理记录、证明、文件和编号相互一致，没有发现改动。"))


@terminal.command("backup", help="备份数据库和全部附件到一个空文件夹。")
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
def back_up(destination: Path) -> None:
    """Everything the register is made of, with a manifest."""
    with access.everything() as session:
        parts, lost = backup.back_up(session, store(), destination)
    click.echo(_("已备份到“%(path)s”，共 %(count)s 个文件。", path=destination, count=parts))
    _report_lost(lost)


@terminal.command(help="把备份恢复到空数据库。")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
def restore(source: Path) -> None:
    """The way back from a backup."""
    with access.everything() as session:
        parts, lost = restoring.restore(session, source, store())
    click.echo(_("已从“%(path)s”恢复，共 %(count)s 个文件。", path=source, count=parts))
    _report_lost(lost)


def _report_lost(lost: list[str]) -> None:
    if lost:
        raise Refused(_("以下附件的文件缺失或已损坏：%(names)s。请从更早的备份中找回。", names="、".join(lost)))


@terminal.command(help="清理无主文件、过期的验证码和登录记录。")
@click.option("--check", is_flag=True, help="只核对：列出登记在册而存储中缺失的文件，不清理任何内容")
def sweep(check: bool) -> None:
    """What nobody needs any more; or, with `--check`, what is needed and is not there."""
    with access.everything() as session, backup.in_a_sentence(_("清理没有完成。"), begun=False):
        if check:
            missing = backup.missing(session, store())
            registered_store.note_check(session, len(missing))
            _report_lost(missing)
            click.echo(_("登记在册的文件都在存储中。"))
            return
        for what, count in backup.sweep(session, store()).items():
            click.echo(_("%(what)s：清理 %(count)s 项。", what=what, count=count))


@terminal.group("search", cls=Terminal, help="商品名称的检索索引：核对、重建。")
def searching() -> None:
    """The index of titles, which the database keeps in step by itself."""


@searching.command(help="核对索引与商品名称是否一致。")
def check() -> None:
    """Whether every title is found by its words."""
    with access.everything() as session:
        try:
            search.check(session.connection())
        except DatabaseError:
            raise Refused(_("检索索引与商品名称不一致，请运行 search rebuild 重建。")) from None
    click.echo(_("检索索引与商品名称一致。"))


@searching.command(help="按现有商品名称重建索引；一百万份约半分钟，期间不能保存。")
def rebuild() -> None:
    """Make the index anew."""
    with access.everything() as session:
        search.rebuild(session.connection())
        session.commit()
    click.echo(_("检索索引已重建。"))
