"""Secret addresses by which a calendar program reads the deadlines of a reviewer. Only the token's hash is stored."""

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from sqlalchemy.orm.exc import StaleDataError

from models import clock
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.people.accounts import Account
from models.people.signin_failures import hashed
from models.vocabulary import Role


class CalendarFeed(Base):
    """The one address of an account. Row security: its own account's alone."""

    __tablename__ = "calendar_feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(Moment)

    account: Mapped[Account] = relationship(lazy="joined")


def feed_of(session: Session, account: Account) -> CalendarFeed | None:
    return session.scalar(select(CalendarFeed).where(CalendarFeed.account_id == account.id))


def renew(session: Session, account: Account) -> str:
    """A new token, in clear only here; it replaces a former one. Flushes; the caller commits.

    Of two concurrent calls one raises IntegrityError (no address existed) or StaleDataError.
    """
    token, former = secrets.token_urlsafe(32), feed_of(session, account)
    values = {"token_hash": hashed(token), "made_at": clock.now()}
    if former is None:
        session.add(CalendarFeed(account_id=account.id, **values))
        session.flush()
        return token
    same = (CalendarFeed.id == former.id, CalendarFeed.token_hash == former.token_hash)
    changed = update(CalendarFeed).where(*same).values(values)
    if session.execute(changed, **NO_SYNC).rowcount != 1:  # type: ignore[attr-defined]
        raise StaleDataError
    session.expire(former)
    return token


def stop(session: Session, account: Account) -> bool:
    """Delete the address; False when there was none. Flushes; the caller commits."""
    former = feed_of(session, account)
    if former is not None:
        session.delete(former)
        session.flush()
    return former is not None


def reader(session: Session, token: str) -> Account | None:
    """The reviewer of this token; None: unknown, or disabled. For a session that sees everything."""
    feed = session.scalar(select(CalendarFeed).where(CalendarFeed.token_hash == hashed(token)))
    if feed is None or feed.account.role is not Role.REVIEWER:
        return None
    works = feed.account.is_active and feed.account.is_complete and not feed.account.must_change
    return feed.account if works else None
