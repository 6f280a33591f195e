"""Who is signed in now: visits kept on the server, lock-out after wrong passwords, answered 验证码."""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, String, case, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.clock import Moment
from models.database import Base
from models.people.accounts import HASHER, Account, matches, normal_username
from models.workflow import Refused

TRIES, LOCKED_FOR = 5, timedelta(minutes=10)


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

    token = ""


class SpentChallenge(Base):
    """A 验证码 that has been answered: it counts once."""

    __tablename__ = "spent_challenge"

    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(Moment)


def hashed(token: str) -> str:
    """SHA-256 of a random token, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def lockout() -> str:
    """What follows wrong passwords, told before it happens, and to whoever may not exist alike."""
    minutes = LOCKED_FOR // timedelta(minutes=1)
    return _("连续输错 %(tries)s 次，账号锁定 %(minutes)s 分钟。", tries=TRIES, minutes=minutes)


def has_given(session: Session, account: Account | None, password: str) -> bool:
    """Whether this is the account's password, and it is not locked; a wrong one is counted, and commits.

    It takes as long, and says as little, whether there is such an account or not.
    """
    moment = clock.now()
    good = matches(account.password_hash if account else nobody(), password)
    if account is None or (account.locked_until and account.locked_until > moment):
        return False
    if not good:
        session.execute(update(Account).where(Account.id == account.id).values(failures=Account.failures + 1))
        session.refresh(account)
        if account.failures >= TRIES:
            account.failures, account.locked_until = 0, moment + LOCKED_FOR
        session.commit()
    return good


def account_named(session: Session, typed: str) -> Account | None:
    """The account of a user name, however it is typed; None when there is none.

    An enabled account that migration 0006 renamed is found by its former name, typed exactly as it was: its owner may
    not know the new one yet. Otherwise the normal form decides.
    """
    renamed = Account.active & (Account.former_username == typed.strip())
    either = select(Account).where(renamed | (Account.username == normal_username(typed)))
    return session.scalars(either.order_by(case((renamed, 0), else_=1))).first()


def sign_in(session: Session, username: str, password: str) -> Account:
    """The account with a new visit; raises Refused with one sentence, whatever is wrong."""
    account = account_named(session, username)
    if not has_given(session, account, password) or account is None or not account.is_active:
        raise Refused(_("用户名或密码不正确，请核对后重新输入；%(rule)s", rule=lockout()))
    moment = clock.now()
    account.failures, account.locked_until = 0, None
    visit = Visit(account=account, began_at=moment, seen_at=moment)
    visit.token = secrets.token_urlsafe(32)
    visit.token_hash = hashed(visit.token)
    session.add(visit)
    session.commit()
    account.visit = visit
    return account


def visitor(session: Session, token: str, timeout: timedelta) -> Account | None:
    """The account whose visit this token opens, unless it ended, timed out or was disabled."""
    visit = session.scalar(select(Visit).where(Visit.token_hash == hashed(token), Visit.ended_at.is_(None)))
    moment = clock.now()
    if visit is None or moment - visit.seen_at > timeout or not visit.account.is_active:
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
