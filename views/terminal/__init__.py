"""The command line: `flask --app app …`."""

from pathlib import Path

import click
import flask_migrate
from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import access, backup, codes, deadlines, log
from models.backup import registered_store, restoring
from models.database import lock_for_migration, search
from models.log import Operation, Place
from models.notifications.sign_in_changes import tell_owner
from models.people import recovery_codes
from models.people.accounts import Account, Organisation
from models.people.revocation import end_access, reset_password
from models.people.sessions import account_named
from models.text import normalize_code
from models.vocabulary import Role
from models.workflow import Refused
from views import demo
from views.demo import signing_keys
from views.resources import office, store
from views.terminal import certificates, customs, trail
from views.terminal.group import Terminal
from views.terminal.logged import note_and_commit
from views.terminal.mail import mail

terminal = Terminal()
terminal.add_command(customs.exchange)
terminal.add_command(certificates.papers)
terminal.add_command(trail.history)
terminal.add_command(mail)


def init_app(app: Flask) -> None:
    for command in terminal.commands.values():
        app.cli.add_command(command)


@terminal.command(help="建立或升级数据库结构。")
def upgrade() -> None:
    """Run all migrations, then add the shipped lists and register the store."""
    flask_migrate.upgrade()
    with access.everything() as session:
        lock_for_migration(session.connection())  # another process may be upgrading the same empty database
        codes.seed_districts(session)
        deadlines.prepare(session)
        session.commit()
        click.echo(_("数据库结构已是最新。"))
        registered_store.register(session, store())


@terminal.command("demo", help="装入演示账号和演示申请；重复运行不会重复添加。")
def show() -> None:
    """Add the demo accounts and applications, and demo signing keys if there are no keys."""
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


@terminal.group(cls=Terminal, help="账号：新增、停用、重置密码、发放恢复码。")
def account() -> None:
    """Commands on accounts; there is no public registration."""


@account.command(help="新增账号，并显示一次性密码。")
@click.argument("username")
@click.option("--name", required=True, help="姓名")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="角色")
@click.option("--organisation", help="所属单位的统一社会信用代码（出版单位账号必填）")
@click.option("--province", help="所属省份的代码或名称（省级审核账号必填）")
def add(username: str, name: str, role: str, organisation: str | None, province: str | None) -> None:
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
        log.record(session, Operation.ACCOUNT_ADDED, None, Place(), person.username, str(person.role.label))
        session.commit()
        username = person.username
    click.echo(_("账号“%(username)s”已建立。", username=username))
    _show_password(password)


@account.command(help="停用账号，并立即结束其登录。")
@click.argument("username")
def disable(username: str) -> None:
    with access.everything() as session:
        person = _person(session, username)
        person.active = False
        end_access(session, person.id)
        log.record(session, Operation.ACCOUNT_CHANGED, None, Place(), person.username, _("停用"))
        session.commit()
    click.echo(_("账号“%(username)s”已停用。", username=username))


@account.command(help="重置密码，并显示一次性密码。")
@click.argument("username")
def password(username: str) -> None:
    with access.everything() as session:
        person = _person(session, username)
        fresh = reset_password(session, person)
        log.record(session, Operation.PASSWORD_RESET, None, Place(), person.username)
        session.commit()
    click.echo(_("账号“%(username)s”的密码已重置。", username=username))
    _show_password(fresh)


@account.command(help="发放恢复码：代替遗失的安全密钥登录一次。")
@click.argument("username")
def code(username: str) -> None:
    with access.everything() as session:
        person = _person(session, username)
        fresh = recovery_codes.give(session, person)
        log.record(session, Operation.CODE_GIVEN, None, Place(), person.username)
        tell_owner(session, person.id, _("系统管理员向您发放了恢复码，可代替安全密钥登录一次"))
        session.commit()
    click.echo(_("恢复码：%(code)s（只显示这一次，24 小时内有效）", code=fresh))


def _person(session: Session, username: str) -> Account:
    if person := account_named(session, username):
        return person
    raise Refused(_("没有用户名为“%(username)s”的账号，请核对后再试。", username=username))


def _organisation(session: Session, credit_code: str) -> Organisation:
    code = normalize_code(credit_code) or ""
    if found := session.scalar(select(Organisation).where(Organisation.credit_code == code)):
        return found
    raise Refused(_("没有统一社会信用代码为“%(code)s”的单位，请先在系统中登记该单位。", code=credit_code))


def _show_password(fresh: str) -> None:
    click.echo(_("一次性密码：%(password)s（只显示这一次，首次登录须修改）", password=fresh))


@terminal.command("backup", help="备份数据库和全部附件到一个空文件夹。")
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
def back_up(destination: Path) -> None:
    with access.everything() as session:
        parts, lost = backup.back_up(session, store(), destination)
        note_and_commit(session, Operation.BACKED_UP, str(destination), parts)
    click.echo(_("已备份到“%(path)s”，共 %(count)s 个文件。", path=destination, count=parts))
    _report_lost(lost)


@terminal.command(help="把备份恢复到空数据库。")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
def restore(source: Path) -> None:
    with access.everything() as session:
        parts, lost = restoring.restore(session, source, store())
        note_and_commit(session, Operation.RESTORED, str(source), parts)
    click.echo(_("已从“%(path)s”恢复，共 %(count)s 个文件。", path=source, count=parts))
    _report_lost(lost)


def _report_lost(lost: list[str]) -> None:
    if lost:
        raise Refused(_("以下附件的文件缺失或已损坏：%(names)s。请从更早的备份中找回。", names="、".join(lost)))


@terminal.command(help="清理无主文件、过期的验证码、登录记录、消息和邮件记录。")
@click.option("--check", is_flag=True, help="只核对：列出登记在册而存储中缺失的文件，不清理任何内容")
def sweep(check: bool) -> None:
    with access.everything() as session, backup.errors_as_refusals(_("清理没有完成。"), begun=False):
        if check:
            missing = backup.missing_files(session, store())
            registered_store.record_check(session, len(missing))
            _report_lost(missing)
            click.echo(_("登记在册的文件都在存储中。"))
            return
        swept = backup.sweep(session, store())
        note_and_commit(session, Operation.SWEPT, "；".join(f"{what} {count}" for what, count in swept.items()))
        for what, count in swept.items():
            click.echo(_("%(what)s：清理 %(count)s 项。", what=what, count=count))


@terminal.group("search", cls=Terminal, help="商品名称和出版单位的检索索引：核对、重建。")
def searching() -> None:
    """Commands on the search index."""


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
