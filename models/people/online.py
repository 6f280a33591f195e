"""在线用户: sessions in use, which their owner or an operator may end; accounts that are rate-limited."""

import logging
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock, log
from models.clock import SKEW
from models.database import NO_SYNC, briefly, is_unavailable
from models.log import LogEntry, Operation, Place, SignIn
from models.people.accounts import Account
from models.people.sessions import LONGEST_VISIT, Visit
from models.people.signin_failures import (
    LONGEST_PAUSE,
    clear_failures,
    hashed,
    is_a_network_slowed,
    slowed_until,
)
from models.workflow import Refused

MOST_SLOWED = 50  # rate-limited accounts that the page lists
RECENT = 20  # sign-ins that a person sees of their own
SECONDS = 3  # that a page waits for `seen_at` to be written
LOG = logging.getLogger(__name__)


def resume_visit_and_commit(
    session: Session, token: str, timeout: timedelta, lifetime: timedelta = LONGEST_VISIT
) -> Account | None:
    """The account of a session token; None if the visit has ended or expired, or the account is disabled.

    `timeout`: since the last request; `lifetime`: since sign-in. Writes `seen_at` and commits, at most once a minute,
    or ten times within a timeout of less than ten minutes: otherwise one of a minute would end a session in use.
    """
    visit = session.scalar(select(Visit).where(Visit.token_hash == hashed(token), Visit.ended_at.is_(None)))
    moment = clock.now()
    if visit is None or not -SKEW <= moment - visit.seen_at <= timeout:  # the future: the clock was set back
        return None
    if not -SKEW <= moment - visit.began_at <= lifetime:
        return None
    if not visit.account.is_active:
        return None
    if moment - visit.seen_at > min(timedelta(minutes=1), timeout / 10):
        _write_seen_and_commit(session, visit, moment)
    visit.token = token
    visit.account.visit = visit
    return visit.account


def _write_seen_and_commit(session: Session, visit: Visit, moment: datetime) -> None:
    """Write `seen_at`. While the database cannot be written, log a warning and roll back: pages stay readable."""
    try:
        with briefly(session, SECONDS):
            visit.seen_at = moment
            session.commit()
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        session.rollback()
        LOG.warning("seen_at of a visit could not be written: %s", error)


def in_use(timeout: timedelta, lifetime: timedelta) -> ColumnElement[bool]:
    """SQL condition: visits that have neither ended nor expired, by the same rule as resume_visit_and_commit()."""
    now = clock.now()
    return and_(Visit.ended_at.is_(None), Visit.seen_at >= now - timeout, Visit.began_at >= now - lifetime)


def own(account: Account, timeout: timedelta, lifetime: timedelta) -> Select[Any]:
    """The visits of one account that are in use, the most recently used first."""
    found = select(Visit).where(Visit.account_id == account.id, in_use(timeout, lifetime))
    return found.order_by(Visit.seen_at.desc(), Visit.id.desc())


def recent(session: Session, account: Account) -> list[LogEntry]:
    """The newest RECENT entries of 登录日志 about this account, newest first."""
    about = select(LogEntry).where(LogEntry.log == "signins", LogEntry.username == account.username)
    return list(session.scalars(about.order_by(LogEntry.at.desc(), LogEntry.id.desc()).limit(RECENT)))


def end_others(session: Session, account: Account, place: Place, key: int | None = None) -> int:
    """End the other visits of the signed-in account, or only that of id `key`; returns how many. Does not commit."""
    assert account.visit is not None
    ending = update(Visit).where(Visit.account_id == account.id, Visit.ended_at.is_(None), Visit.id != account.visit.id)
    done: Any = session.execute(
        ending.where(Visit.id == key if key is not None else Visit.id > 0).values(ended_at=clock.now()), **NO_SYNC
    )
    if done.rowcount:
        log.record(session, SignIn.OTHERS_ENDED, account, place, amount=done.rowcount)
    return int(done.rowcount)


def end_forcibly(session: Session, visit: Visit, by: Account, place: Place) -> None:
    """强制下线: end a visit at once; raises Refused for one's own, or an ended one. Does not commit."""
    assert by.visit is not None
    if visit.id == by.visit.id:
        raise Refused(_("这是您本次的登录，请点击右上角“退出”。"))
    if visit.ended_at is not None:
        raise Refused(_("该用户的这次登录已经结束，无需再次办理。"))
    visit.ended_at, visit.ended_by = clock.now(), by.name
    log.record(session, Operation.VISIT_ENDED, by, place, visit.account.username)


def slowed(session: Session) -> list[tuple[Account, datetime]]:
    """(account, end of the pause) of the accounts with a pause after wrong passwords.

    A pause lasts an hour at most, so only failures of the last hour are read.
    """
    failed = (SignIn.WRONG_PASSWORD.value, SignIn.WRONG_CURRENT.value, SignIn.WRONG_CODE.value)
    since = clock.now() - LONGEST_PAUSE
    ids = select(LogEntry.account_id).where(LogEntry.log == "signins", LogEntry.kind.in_(failed), LogEntry.at > since)
    found = {account.username: account for account in session.scalars(select(Account).where(Account.id.in_(ids)))}
    until = sorted(slowed_until(session, found).items(), key=lambda each: each[1], reverse=True)
    return [(found[name], moment) for name, moment in until[:MOST_SLOWED]]


def perhaps_held_up(session: Session, part: str) -> list[Account]:
    """The accounts with this part in their user name, which a slowed network may hold up.

    Which accounts wait is not known: nothing is stored of an attempt that had to wait. Those with a pause of their own
    are in slowed().
    """
    named = select(Account).where(Account.username.contains(part, autoescape=True), Account.active)
    found = session.scalars(named.order_by(Account.username).limit(MOST_SLOWED)).all()
    own = slowed_until(session, [account.username for account in found])
    return [account for account in found if account.username not in own]


def unlock(session: Session, account: Account, by: Account, place: Place) -> None:
    """解锁: end every pause of this account, also those of slowed networks; raises Refused. Does not commit."""
    if not slowed_until(session, [account.username]) and not is_a_network_slowed(session):
        raise Refused(_("%(name)s 没有登录限制，无需解除。", name=account.username))
    clear_failures(session, account.username)
    log.record(session, Operation.UNLOCKED, by, place, account.username)
