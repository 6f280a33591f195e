"""The queue of e-mails: a letter is inserted with the message that it is about, and sent by a worker (models/mail).

Delivered at least once: a worker that dies after sending and before recording it is followed by another one, which
sends the same letter again under the same Message-ID. Rows stay as a record, until `sweep`.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from models import clock, queue
from models.clock import Moment
from models.database import Base
from models.people.accounts import Account
from models.people.mail_address import MailWish
from models.queue import Queued

NO_SYNC: dict[str, Any] = {"execution_options": {"synchronize_session": False}}
DIGEST_AT = time(8, tzinfo=clock.SHANGHAI)  # of each day; ours
STALE = timedelta(days=3)  # after which a message is no news, and its letter is not sent any more
SENT_WORDS = _l("已发送。")  # `answer` of what a mail server took, and of nothing else


@dataclass(frozen=True)
class Pace(queue.Pace):
    """Lease and back-off towards the mail server. Only the recipient's refusals count towards `tries`."""

    pause: float = 60
    tries: int = 3


class MailLetter(Queued, Base):
    """One e-mail to one account: about one message, or (`day`, `since`) the digest of a day. Row security: nobody's."""

    __tablename__ = "mail_letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    notification_id: Mapped[int | None] = mapped_column(ForeignKey("notification.id", ondelete="RESTRICT"), unique=True)
    day: Mapped[date | None]
    since: Mapped[datetime | None] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)  # or found to have nothing to say, see `answer`

    __table_args__ = (UniqueConstraint("account_id", "day"),)


UNSENT = MailLetter.sent_at.is_(None)
Index(None, MailLetter.next_at, MailLetter.id, sqlite_where=UNSENT, postgresql_where=UNSENT)


@dataclass(frozen=True)
class Claim:
    """A claimed letter as plain values: no transaction is open while the mail server answers."""

    id: int
    account_id: int
    notification_id: int | None
    since: datetime | None
    queued_at: datetime
    attempt: int
    attempts: int

    @property
    def still_claimed(self) -> tuple[ColumnElement[bool], ...]:
        """SQL conditions: the row is still claimed by this attempt."""
        return queue.still_claimed(MailLetter, self.id, self.attempt)


def enqueue_digests(session: Session) -> None:
    """One letter a day, after DIGEST_AT, for each account that wishes it. The caller commits.

    A digest tells what no e-mail has told (`mailed_at`), not what is younger than the last one: the moment of a message
    is that of its act, which may be committed later, behind a digest that could not see it yet. `since` only bounds how
    far back it looks: a day for the first digest, else STALE.
    """
    now = clock.now()
    if now.timetz() < DIGEST_AT:
        return
    today = exists().where(MailLetter.account_id == Account.id, MailLetter.day == now.date())
    wishing = select(Account.id).where(Account.active, Account.email.is_not(None), Account.mail_wish == MailWish.DAILY)
    for account_id in session.scalars(wishing.where(~today)).all():
        former = exists().where(MailLetter.account_id == account_id, MailLetter.day.is_not(None))
        since = now - (STALE if session.scalar(select(former)) else timedelta(days=1))
        session.add(MailLetter(account_id=account_id, day=now.date(), since=since, queued_at=now))
    session.flush()


def claim(session: Session, pace: Pace, since: datetime) -> Claim | None:
    """Claim the next letter that was due at `since` for a lease, and record the attempt. Commits."""
    now, due = clock.now(), aliased(MailLetter)
    next_one = (
        select(due.id)
        .where(due.sent_at.is_(None), queue.due(due, now, pace), or_(due.next_at <= since, due.next_at > now))
        .order_by(due.next_at, due.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer at a time anyway
    )
    values = queue.claim_values(MailLetter, now + timedelta(seconds=pace.lease))
    claiming = update(MailLetter).where(MailLetter.id == next_one.scalar_subquery()).values(values)
    columns = (MailLetter.account_id, MailLetter.notification_id, MailLetter.since, MailLetter.queued_at)
    counts = (MailLetter.attempts, MailLetter.attempts - MailLetter.released)
    row = session.execute(claiming.returning(MailLetter.id, *columns, *counts), **NO_SYNC).one_or_none()
    session.commit()
    return Claim(*row) if row else None


def finish(session: Session, letter: Claim, words: str) -> None:
    """Record that it is sent, or that there was nothing to say. Commits."""
    values = {"sent_at": clock.now(), "claimed_until": None, "answer": words}
    session.execute(update(MailLetter).where(*letter.still_claimed).values(values), **NO_SYNC)
    session.commit()


def end_attempt(session: Session, letter: Claim, why: str, pace: Pace, fault: bool) -> None:
    """Release a claim and retry after a pause; a `fault` of the letter counts towards setting it aside. Commits."""
    why = queue.storable(why)
    values: dict[str, Any] = {"answer": why[: queue.LONGEST_ANSWER]}
    if fault:
        values = queue.failure_values(MailLetter, pace, why, _("稍后重试。"), _("已搁置。"))
    values |= {"claimed_until": None, "next_at": pace.after(letter.attempts)}
    session.execute(update(MailLetter).where(*letter.still_claimed).values(values), **NO_SYNC)
    session.commit()


def undelivered(session: Session, account_id: int) -> str | None:
    """Why the last letter to an account was set aside; None where it was sent. For a session that sees everything.

    A letter that was skipped says nothing about the address.
    """
    tried = or_(MailLetter.set_aside_at.is_not(None), MailLetter.answer == str(SENT_WORDS))
    why = case((MailLetter.set_aside_at.is_not(None), MailLetter.answer))
    return session.scalar(
        select(why).where(MailLetter.account_id == account_id, tried).order_by(MailLetter.id.desc()).limit(1)
    )


def drop_unsent(session: Session, account_id: int) -> None:
    """Delete what is not sent yet: address or wish have changed. For a session that sees everything."""
    session.execute(delete(MailLetter).where(MailLetter.account_id == account_id, UNSENT), **NO_SYNC)


def skip_unsent(session: Session) -> None:
    """Finish what waits, unsent: a restored queue has been sent since, or belongs to a trial. The caller commits."""
    values = {"sent_at": clock.now(), "claimed_until": None, "answer": _("恢复备份后没有发送。")}
    session.execute(update(MailLetter).where(UNSENT, MailLetter.set_aside_at.is_(None)).values(values), **NO_SYNC)


def counts(session: Session) -> tuple[int, int]:
    """(how many wait to be sent, how many were set aside)."""
    aside = MailLetter.set_aside_at.is_not(None)
    counted = select(func.count(case((~aside, 1))), func.count(case((aside, 1)))).where(UNSENT)
    waiting, dead = session.execute(counted).one()
    return waiting, dead


def problems(session: Session, pace: Pace) -> list[str]:
    """The word for /healthz: `mail` (letters are overdue). What was set aside concerns its recipient alone."""
    overdue = queue.late(MailLetter, clock.now(), pace.overdue)
    late = select(func.count(case((overdue, 1)))).where(UNSENT, MailLetter.set_aside_at.is_(None))
    return ["mail"] if session.scalar(late) else []
