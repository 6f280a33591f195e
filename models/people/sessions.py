"""Who is signed in now: visits kept on the server, the password that begins one, answered 验证码."""

import secrets
from datetime import datetime, timedelta
from functools import cache

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, String, Text, case, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.clock import Moment
from models.database import Base
from models.people.accounts import HASHER, Account, matches, normal_username
from models.people.signin_failures import (
    TRIES,
    Place,
    SigninFailure,
    begin_attempt,
    failures_between,
    forget,
    hashed,
    succeed,
)
from models.workflow import Refused

UNKNOWN = Place()
LONGEST_VISIT = timedelta(hours=12)  # whatever is clicked; NIST SP 800-63B-4, 2.2.3 asks for one sign-in a day, or more
BEGINNING = datetime(2000, 1, 1, tzinfo=clock.SHANGHAI)  # before any visit


@cache
def nobody() -> str:
    """A hash to check when the user name is unknown, so that both answers take as long; made when first needed."""
    return HASHER.hash(secrets.token_hex())


class Visit(Base):
    """One signed-in session, kept on the server so that 退出 ends it here. Only the token's hash is stored."""

    __tablename__ = "visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    account: Mapped[Account] = relationship(lazy="joined")
    began_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    browser_hash: Mapped[str | None] = mapped_column(String(64))  # of the cookie that tells this browser from others
    note: Mapped[str | None] = mapped_column(Text)  # encrypted, to be shown once; the key is in the session's cookie

    token = ""


class SpentChallenge(Base):
    """A 验证码 that has been answered: it counts once."""

    __tablename__ = "spent_challenge"

    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(Moment)


def lockout() -> str:
    """What follows wrong passwords, told before it happens, and to whoever may not exist alike."""
    return _("连续输错 %(tries)s 次后，须等待一段时间才能再试。", tries=TRIES)


def has_given(session: Session, account: Account, password: str, place: Place) -> bool:
    """Whether this is the account's password; a wrong one is counted. Commits. Raises Refused while one has to wait."""
    attempt = begin_attempt(session, account.username, place, _is_known(session, account, place))
    return _settle(session, attempt, account, password)


def _settle(session: Session, attempt: SigninFailure, account: Account | None, password: str) -> bool:
    """Judge the password of an attempt; it takes as long whether there is such an account or not. Commits."""
    good = matches(account.password_hash if account else nobody(), password) and account is not None
    if good:
        succeed(session, attempt)
        session.commit()
    return good


def _is_known(session: Session, account: Account | None, place: Place) -> bool:
    """Whether the account has signed in from this browser before."""
    if account is None or not place.browser:
        return False
    before = select(Visit.id).where(Visit.account_id == account.id, Visit.browser_hash == hashed(place.browser))
    return session.scalar(before.limit(1)) is not None


def account_named(session: Session, typed: str) -> Account | None:
    """The account of a user name, however it is typed; None when there is none.

    An enabled account that migration 0006 renamed is found by its former name, typed exactly as it was: its owner may
    not know the new one yet. Otherwise the normal form decides.
    """
    renamed = Account.active & (Account.former_username == typed.strip())
    either = select(Account).where(renamed | (Account.username == normal_username(typed)))
    return session.scalars(either.order_by(case((renamed, 0), else_=1))).first()


def sign_in(session: Session, username: str, password: str, place: Place = UNKNOWN) -> Account:
    """The account with a new visit, committed; raises Refused with one sentence, whatever is wrong."""
    account = account_named(session, username)
    name = account.username if account else normal_username(username)
    attempt = begin_attempt(session, name, place, _is_known(session, account, place))
    if not _settle(session, attempt, account, password) or account is None or not account.is_active:
        raise Refused(_("用户名或密码不正确，请核对后重新输入；%(rule)s", rule=lockout()))
    moment = clock.now()
    visit = Visit(account=account, began_at=moment, seen_at=moment)
    visit.browser_hash = hashed(place.browser) if place.browser else None
    visit.token = secrets.token_urlsafe(32)
    visit.token_hash = hashed(visit.token)
    session.add(visit)
    session.commit()
    account.visit = visit
    return account


def told_at_sign_in(session: Session, account: Account) -> str | None:
    """What the owner should know of the time since the last visit: wrong passwords given in their name, if any."""
    assert account.visit is not None
    earlier = select(Visit.began_at).where(Visit.account_id == account.id, Visit.id < account.visit.id)
    last = session.scalar(earlier.order_by(Visit.id.desc()).limit(1))
    count, failure = failures_between(session, account.username, last or BEGINNING, account.visit.began_at)
    if failure is None:
        return None
    since = _("上次登录：%(when)s，其间", when=f"{last:%Y-%m-%d %H:%M}") if last else _("首次登录之前")
    return since + _(
        "有 %(count)s 次输错密码，最近一次在 %(when)s，来自 %(address)s。如非本人操作，请修改密码，并告知系统管理员。",
        count=count,
        when=f"{failure.at:%Y-%m-%d %H:%M}",
        address=failure.address or _("未知地址"),
    )


def visitor(session: Session, token: str, timeout: timedelta, lifetime: timedelta = LONGEST_VISIT) -> Account | None:
    """The account whose visit this token opens, unless it ended, timed out, is too old, or was disabled.

    `timeout`: since the last click; `lifetime`: since signing in.
    """
    visit = session.scalar(select(Visit).where(Visit.token_hash == hashed(token), Visit.ended_at.is_(None)))
    moment = clock.now()
    if visit is None or moment - visit.seen_at > timeout or moment - visit.began_at > lifetime:
        return None
    if not visit.account.is_active:
        return None
    if moment - visit.seen_at > timedelta(minutes=1):  # not at every click: a write a minute is enough
        visit.seen_at = moment
        session.commit()
    visit.token = token
    visit.account.visit = visit
    return visit.account


def end_visits(session: Session, account_id: int, except_for: int | None = None) -> None:
    """End every visit of an account (退出, password reset, disabling), but one."""
    ending = update(Visit).where(Visit.account_id == account_id, Visit.ended_at.is_(None))
    session.execute(ending.where(Visit.id != (except_for or 0)).values(ended_at=clock.now()))


def end_visit(session: Session, visit: Visit) -> None:
    """End one visit on the server, so that a copy of its cookie is worth nothing. Commits."""
    visit.ended_at = clock.now()
    session.commit()


def reset_password(session: Session, account: Account) -> str:
    """重置密码: a one-time password, returned once. Every visit ends, and nobody has to wait. Does not commit."""
    password = account.reset_password()
    end_visits(session, account.id)
    forget(session, account.username)
    return password
