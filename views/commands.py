"""Every word of the terminal: `flask --app app …`."""

from pathlib import Path
from time import monotonic

import click
import flask_migrate
from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import access, codes, integrity
from models.accounts import Account, Organisation
from models.db import lock_for_migration
from models.text import normalize_code
from models.visits import account_named, end_visits, reset_password
from models.vocabulary import Role
from models.workflow import Refused
from views import authority, bulk, customs, demo, papers, safekeeping
from views.office import office, store
from views.terminal import Terminal

terminal = Terminal()
terminal.add_command(customs.exchange)
terminal.add_command(papers.papers)


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


@terminal.command("demo", help="装入演示账号和演示申请；重复运行不会重复添加。")
def show() -> None:
    """The cast of the design card, and its cases; and keys to sign them with, where there are none yet."""
    if authority.establish(Path(current_app.config["SIGNING_KEY"]), codes.names_of("province")):
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


@terminal.command(help="备份数据库和全部附件到一个空文件夹。")
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
def backup(destination: Path) -> None:
    """Everything the register is made of, with a manifest."""
    with access.everything() as session:
        parts, lost = safekeeping.back_up(session, store(), destination)
    click.echo(_("已备份到“%(path)s”，共 %(count)s 个文件。", path=destination, count=parts))
    _mourn(lost)


@terminal.command(help="把备份恢复到空数据库。")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
def restore(source: Path) -> None:
    """The way back from a backup."""
    with access.everything() as session:
        parts, lost = safekeeping.restore(session, source, store())
    click.echo(_("已从“%(path)s”恢复，共 %(count)s 个文件。请接着运行 upgrade。", path=source, count=parts))
    _mourn(lost)


def _mourn(lost: list[str]) -> None:
    if lost:
        raise Refused(_("以下附件的文件缺失或已损坏：%(names)s。请从更早的备份中找回。", names="、".join(lost)))


@terminal.command(help="清理无主文件、过期的验证码和登录记录。")
def sweep() -> None:
    """What nobody needs any more."""
    with access.everything() as session:
        for what, count in safekeeping.sweep(session, store()).items():
            click.echo(_("%(what)s：清理 %(count)s 项。", what=what, count=count))


@terminal.command("bulk", help="生成 N 份模拟申请，用于性能测试。")
@click.argument("wanted", metavar="N", type=click.IntRange(min=1))
def fill(wanted: int) -> None:
    """Synthetic applications, for measuring."""
    began = monotonic()
    with access.everything() as session:
        rows = bulk.fill(session, wanted)
    speed = round(rows / max(monotonic() - began, 0.001))
    click.echo(
        _("已生成 %(wanted)s 份申请，共 %(rows)s 行，每秒 %(speed)s 行。", wanted=wanted, rows=rows, speed=speed)
    )
