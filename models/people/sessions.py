"""Server-side sessions (visits), and sign-in by password."""

import secrets
from datetime import datetime, timedelta
from functools import cache

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, String, Text, case, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock, log
from models.clock import Moment
from models.database import Base
from models.log import LogEntry, Place, SignIn
from models.people.accounts import HASHER, Account, matches, normal_username
from models.people.methods import WITH_PASSWORD, Method
from models.people.signin_failures import (
    TRIES,
    SigninFailure,
    advice_to_wait,
    hashed,
    network_of,
    pause_after,
    record_attempt_and_commit,
    record_success,
    record_wrong_and_commit,
)
from models.vocabulary import WordColumn
from models.workflow import Refused

LONGEST_VISIT = timedelta(hours=12)  # regardless of activity; NIST SP 800-63B-4, 2.2.3 demands at most a day


@cache
def dummy_hash() -> str:
    """A hash to verify when the user name is unknown, so that both cases take the same time."""
    return HASHER.hash(secrets.token_hex())


class Visit(Base):
    """A server-side session, so that 退出 ends it on the server. Only the token's hash is stored."""

    __tablename__ = "visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    account: Mapped[Account] = relationship(lazy="joined")
    began_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    browser_hash: Mapped[str | None] = mapped_column(String(64))  # of the cookie that identifies the browser
    # Of the sign-in, shown in the list of sessions; None before migration 0026.
    address: Mapped[str | None] = mapped_column(String(45))
    program: Mapped[str | None] = mapped_column(String(40))
    method: Mapped[Method | None] = mapped_column(WordColumn(Method))  # None before migration 0033
    authenticated_at: Mapped[datetime | None] = mapped_column(Moment)  # at the portal, if it has sent the time
    ended_by: Mapped[str | None] = mapped_column(String(50))  # the operator who ended it (强制下线)
    note: Mapped[str | None] = mapped_column(Text)  # encrypted, shown once (one_time.py); the key is in the cookie
    token = ""


OPEN = Visit.ended_at.is_(None)
Index("ix_visit_open", Visit.seen_at, postgresql_where=OPEN, sqlite_where=OPEN)  # for end_expired()


def _what_follows(pause: timedelta) -> str:
    """The advice after a wrong password: how long to wait, or the tries before a pause; the same for unknown names."""
    if pause:
        return _("输错次数较多，%(wait)s", wait=advice_to_wait(pause))
    return _("请核对后重新输入；连续输错 %(tries)s 次后，须等待一段时间才能再试。", tries=TRIES)


def try_password_and_commit(session: Session, account: Account, password: str, place: Place) -> None:
    """Check the current password of an account and count a wrong one. Raises Refused if wrong, or rate-limited."""
    failed = log.entry(SignIn.WRONG_CURRENT, account, place)
    attempt = _begin_attempt(session, account.username, account, place)
    if not _finish_attempt(session, attempt, account, password, failed):
        raise Refused(_("当前密码不正确，%(rule)s", rule=_what_follows(pause_after(session, attempt))))


def _begin_attempt(session: Session, name: str, account: Account | None, place: Place) -> SigninFailure:
    """Record an attempt; while this place must wait, log that and raise Refused. Commits."""
    try:
        known = _is_known(session, account, place)
        return record_attempt_and_commit(
            session, name, place, known, has_used_network=lambda: _has_used_network(session, account, place)
        )
    except Refused:
        slowed = log.entry(SignIn.SLOWED, account, place)
        slowed.username = slowed.username or log.mark_of(name)
        session.add(slowed)
        session.commit()
        raise


def _finish_attempt(
    session: Session, attempt: SigninFailure, account: Account | None, password: str, failed: LogEntry
) -> bool:
    """Verify the password of a recorded attempt, as slowly for an unknown account as for a known one. Commits.

    `failed`: the log entry of a wrong password.
    """
    stored = account.password_hash if account else ""  # an account without a password, too, takes as long
    is_right = matches(stored or dummy_hash(), password) and bool(stored)
    if is_right:
        record_success(session, attempt)
        session.commit()
    else:
        session.add(failed)
        record_wrong_and_commit(session, attempt)
    return is_right


def _is_known(session: Session, account: Account | None, place: Place) -> bool:
    """Whether the account has signed in from this browser before."""
    if account is None or not place.browser:
        return False
    before = select(Visit.id).where(Visit.account_id == account.id, Visit.browser_hash == hashed(place.browser))
    return session.scalar(before.limit(1)) is not None


def _has_used_network(session: Session, account: Account | None, place: Place) -> bool:
    """Whether the account has signed in from this network before."""
    if account is None:
        return False
    addresses = select(Visit.address).where(Visit.account_id == account.id, Visit.address.is_not(None)).distinct()
    return network_of(place.address) in {network_of(str(address)) for address in session.scalars(addresses)}


def account_named(session: Session, typed: str) -> Account | None:
    """The account of a user name in any spelling; None when there is none.

    An enabled account that migration 0006 renamed is also found by its exact former name, before any other.
    """
    renamed = Account.active & (Account.former_username == typed.strip())
    either = select(Account).where(renamed | (Account.username == normal_username(typed)))
    return session.scalars(either.order_by(case((renamed, 0), else_=1))).first()


def attempt_sign_in(session: Session, username: str, password: str, place: Place) -> Account:
    """Check name and password; returns the active account. Commits. Raises Refused, one sentence for all reasons."""
    account = account_named(session, username)
    name = account.username if account else normal_username(username)
    failed = log.entry(SignIn.WRONG_PASSWORD if account else SignIn.UNKNOWN_NAME, account, place)
    failed.username = failed.username or log.mark_of(name)
    attempt = _begin_attempt(session, name, account, place)
    is_right = _finish_attempt(session, attempt, account, password, failed)
    if not is_right or account is None or not account.is_active:
        pause = timedelta() if is_right else pause_after(session, attempt)
        if is_right:
            log.record(session, SignIn.ACCOUNT_DISABLED, account, place)
            session.commit()
        raise Refused(_("用户名或密码不正确，%(rule)s", rule=_what_follows(pause)))
    return account


def begin_visit(session: Session, account_id: int, place: Place, method: Method, words: str = "") -> Visit:
    """Add a visit and its log entry, and flush; `words`: added to the method in the log. The caller commits.

    For a session that sees everything: only jobs may insert visits (models/access/grants.py).
    """
    moment, account = clock.now(), session.get_one(Account, account_id)
    visit = Visit(account=account, began_at=moment, seen_at=moment, address=place.address[:45], method=method)
    visit.browser_hash, visit.program = hashed(place.browser) if place.browser else None, place.program[:40]
    visit.token_hash = hashed(token := secrets.token_urlsafe(32))
    detail = _l("%(label)s：%(sentence)s", label=method.label, sentence=words) if words else method.label
    session.add_all((visit, log.entry(SignIn.SIGNED_IN, account, place, words=detail)))
    session.flush()
    visit.token = token
    return visit


def remove_unused_password(session: Session, visit: Visit, place: Place) -> bool:
    """Remove the one-time password of an account whose first sign-in was without it; returns whether it did.

    The person may never have received it, and cannot change it; whoever made the account knows it. After any earlier
    sign-in, of which the log knows for ever, it comes from a reset: it stays, and must be changed. The caller commits.
    """
    account = visit.account
    if not account.must_change or visit.method in WITH_PASSWORD:
        return False
    if _has_signed_in_before(session, visit):
        return False
    account.remove_password()
    log.record(session, SignIn.PASSWORD_REMOVED, account, place)
    return True


def _has_signed_in_before(session: Session, visit: Visit) -> bool:
    """Whether the account had a visit before, or an entry in the log, from which `sweep` deletes nothing."""
    account = visit.account
    visits = select(Visit.id).where(Visit.account_id == account.id, Visit.id != visit.id)
    names = {account.username, account.former_username or account.username}
    of_account = (LogEntry.log == log.LOG_OF[SignIn.SIGNED_IN.value], LogEntry.username.in_(names))  # by an index
    entries = select(LogEntry.id).where(*of_account, LogEntry.at < visit.began_at)
    entries = entries.where(LogEntry.kind == SignIn.SIGNED_IN.value, LogEntry.account_id == account.id)
    return any(session.scalar(found.limit(1)) is not None for found in (visits, entries))


def attach_visit(session: Session, account: Account, token: str) -> None:
    """Set `account.visit` to the visit of this token, committed by another session."""
    account.visit = session.scalars(select(Visit).where(Visit.token_hash == hashed(token))).one()
    account.visit.token = token


def end_visits(session: Session, account_id: int, except_for: int | None = None) -> None:
    """End every visit of an account but `except_for` (an id). Does not commit."""
    ending = update(Visit).where(Visit.account_id == account_id, Visit.ended_at.is_(None))
    session.execute(ending.where(Visit.id != (except_for or 0)).values(ended_at=clock.now()))


def end_visit_and_commit(session: Session, visit: Visit, place: Place) -> None:
    """退出: end a visit on the server, so that copies of its cookie are invalid. Commits."""
    visit.ended_at = clock.now()
    log.record(session, SignIn.SIGNED_OUT, visit.account, place)
    session.commit()
