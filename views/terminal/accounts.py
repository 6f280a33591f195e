"""Commands account …: add and disable accounts, reset passwords, give recovery codes. No public registration."""

import click
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import access, codes, log
from models.columns import lack, read_typed
from models.log import Operation, Place
from models.notifications.password_reset import reset_password
from models.notifications.sign_in_changes import notify_owner
from models.people import recovery_codes
from models.people.accounts import Account, Organisation, normal_username
from models.people.revocation import end_access
from models.people.sessions import account_named
from models.text import Unreadable, normalize_code
from models.vocabulary import Role
from models.workflow import Refused
from views.terminal.group import Terminal

account = Terminal("account", help="账号：新增、停用、重置密码、发放恢复码。")


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
            username=_typed("username", normal_username(username)),
            name=_typed("name", name),
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
        password = reset_password(session, person)
        log.record(session, Operation.PASSWORD_RESET, None, Place(), person.username)
        session.commit()
    click.echo(_("账号“%(username)s”的密码已重置。", username=username))
    _show_password(password)


@account.command(help="发放恢复码：代替遗失的安全密钥登录一次。")
@click.argument("username")
def code(username: str) -> None:
    with access.everything() as session:
        person = _person(session, username)
        password = recovery_codes.give(session, person)
        log.record(session, Operation.CODE_GIVEN, None, Place(), person.username)
        notify_owner(session, person.id, _("系统管理员向您发放了恢复码，可代替安全密钥登录一次"))
        session.commit()
    click.echo(_("恢复码：%(code)s（只显示这一次，24 小时内有效）", code=password))


def _person(session: Session, username: str) -> Account:
    if person := account_named(session, username):
        return person
    raise Refused(_("没有用户名为“%(username)s”的账号，请核对后再试。", username=username))


def _typed(column: str, text: str) -> str:
    """`text` as a required column of Account stores it; raises Refused for a blank or too long one."""
    try:
        value = read_typed(Account.__table__.columns[column], text)
    except Unreadable as wrong:
        label = Account.__table__.columns[column].info["label"]
        raise Refused(_("%(label)s：%(sentence)s", label=label, sentence=wrong)) from None
    if value is None:
        raise Refused(lack(Account, column, ""))
    return str(value)


def _organisation(session: Session, credit_code: str) -> Organisation:
    code = normalize_code(credit_code) or ""
    if found := session.scalar(select(Organisation).where(Organisation.credit_code == code)):
        return found
    raise Refused(_("没有统一社会信用代码为“%(code)s”的单位，请先在系统中登记该单位。", code=credit_code))


def _show_password(password: str) -> None:
    click.echo(_("一次性密码：%(password)s（只显示这一次，首次登录须修改）", password=password))
