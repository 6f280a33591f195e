"""The queue of e-mails: a letter is inserted with the message that it is about, and sent by a worker (models/mail).

Delivered at least once: if a worker dies after sending and before recording it, another one sends the same letter again
with the same Message-ID. Rows stay as a record until `sweep`.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
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
from models.database import NO_SYNC, Base
from models.language import recorded
from models.people.accounts import Account
from models.people.mail_address import LONGEST_ADDRESS, MailWish
from models.queue import Queued
from models.vocabulary import Word, WordColumn
from models.workflow import Refused

DIGEST_AT = time(8, tzinfo=clock.SHANGHAI)  # of each day
STALE = timedelta(days=3)  # age of a message after which its letter is no longer sent
MANY = 10  # accounts whose mailboxes are hardly all full at once
MOST_CODES = 10  # confirmation codes to new addresses of one account in a day
SENT_WORDS = _l("已发送。")  # `answer` of a letter that a mail server accepted
DEFERRED_WORDS = _l("邮件服务器暂不接收（%(code)s %(answer)s）。")  # of one that it refused for now (4xx)


@dataclass(frozen=True)
class Pace(queue.Pace):
    """Lease and back-off towards the mail server. Only the recipient's refusals count towards `tries`."""

    pause: float = 60
    tries: int = 3


class Purpose(Word):
    """Kinds of letters about an address itself, which are sent regardless of the wishes of the account."""

    CONFIRM = "confirm", _l("确认邮箱地址")  # a code, to a new address
    CHANGED = "changed", _l("邮箱地址已变更")  # to the former one


class MailLetter(Queued, Base):
    """One e-mail to one account: about one message, or (`day`, `since`) the digest of a day, or (`purpose`) about its
    address. Row security: jobs only."""

    __tablename__ = "mail_letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    notification_id: Mapped[int | None] = mapped_column(ForeignKey("notification.id", ondelete="RESTRICT"), unique=True)
    day: Mapped[date | None]
    since: Mapped[datetime | None] = mapped_column(Moment)
    purpose: Mapped[Purpose | None] = mapped_column(WordColumn(Purpose))
    recipient: Mapped[str | None] = mapped_column(String(LONGEST_ADDRESS))  # of a letter with a purpose
    sent_at: Mapped[datetime | None] = mapped_column(Moment)  # or skipped, see `answer`

    __table_args__ = (UniqueConstraint("account_id", "day"), {"implicit_returning": False})  # as of LogEntry


UNSENT = MailLetter.sent_at.is_(None)
Index(None, MailLetter.next_at, MailLetter.id, sqlite_where=UNSENT, postgresql_where=UNSENT)


@dataclass(frozen=True)
class Claim(queue.Claim):
    """A claimed letter: account, message, purpose, or the beginning of the digest's period."""

    table = MailLetter

    account_id: int
    notification_id: int | None
    since: datetime | None
    queued_at: datetime
    purpose: Purpose | None
    recipient: str | None


def enqueue_digests(session: Session) -> None:
    """Queue the digest of the day, after DIGEST_AT, for each account that wants one. The caller commits.

    A digest contains the messages without `mailed_at`, not those since the last digest: a message has the time of its
    act, which may be committed after a digest that could not see it. `since` only limits its age: a day for the first
    digest, else STALE.
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
    now, row = clock.now(), aliased(MailLetter)
    waiting = (row.sent_at.is_(None), queue.due_since(row, now, since))
    claiming = queue.claiming(MailLetter, row, now, pace, *waiting)
    counts = (MailLetter.attempts, MailLetter.attempts - MailLetter.released)
    about = (MailLetter.queued_at, MailLetter.purpose, MailLetter.recipient)
    columns = (MailLetter.account_id, MailLetter.notification_id, MailLetter.since, *about)
    found = session.execute(claiming.returning(MailLetter.id, *counts, *columns), **NO_SYNC).one_or_none()
    session.commit()
    return Claim(*found) if found else None


def finish(session: Session, letter: Claim, words: str) -> None:
    """Record that a letter was sent, or skipped (`words`: why). Commits."""
    values = {"sent_at": clock.now(), "claimed_until": None, "answer": words}
    session.execute(update(MailLetter).where(*letter.still_claimed).values(values), **NO_SYNC)
    session.commit()


def undelivered(session: Session, account_id: int, confirming: bool = False) -> str | None:
    """Why the last letter to an account was set aside; None: it was sent. For a session that sees everything.

    `confirming`: of letters with codes to a new address. Skipped letters do not count.
    """
    which = MailLetter.purpose == Purpose.CONFIRM if confirming else MailLetter.purpose.is_(None)
    tried = or_(MailLetter.set_aside_at.is_not(None), MailLetter.answer == recorded(SENT_WORDS))
    why = case((MailLetter.set_aside_at.is_not(None), MailLetter.answer))
    return session.scalar(
        select(why).where(MailLetter.account_id == account_id, tried, which).order_by(MailLetter.id.desc()).limit(1)
    )


def drop_unsent(session: Session, account_id: int) -> None:
    """Delete unsent letters about messages, after a change of address or wish. The caller commits.

    For a session that sees everything.
    """
    of_messages = (MailLetter.account_id == account_id, MailLetter.purpose.is_(None), UNSENT)
    session.execute(delete(MailLetter).where(*of_messages), **NO_SYNC)


def enqueue_about_address(session: Session, account_id: int, purpose: Purpose, recipient: str) -> None:
    """Queue a letter to the address `recipient`; a new code replaces unsent ones. The caller commits.

    CONFIRM: for a session that sees everything. Raises Refused for more than MOST_CODES codes of an account in a day.
    """
    of_account = (MailLetter.account_id == account_id, MailLetter.purpose == purpose)
    if purpose is Purpose.CONFIRM:
        today = select(func.count()).where(*of_account, MailLetter.queued_at > clock.now() - timedelta(days=1))
        if (session.scalar(today) or 0) >= MOST_CODES:
            raise Refused(_("24 小时内最多发送 %(most)s 次确认码，请明天再试。", most=MOST_CODES))
        skipped = {"sent_at": clock.now(), "answer": recorded(_l("已有新的确认码，没有发送。"))}
        session.execute(update(MailLetter).where(*of_account, UNSENT).values(skipped), **NO_SYNC)
    session.add(MailLetter(account_id=account_id, purpose=purpose, recipient=recipient, queued_at=clock.now()))
    session.flush()


def skip_unsent(session: Session) -> None:
    """After a restore: finish waiting letters unsent, since they may have been sent already. The caller commits."""
    values = {"sent_at": clock.now(), "claimed_until": None, "answer": _("恢复备份后没有发送。")}
    session.execute(update(MailLetter).where(UNSENT, MailLetter.set_aside_at.is_(None)).values(values), **NO_SYNC)


def _is_deferred() -> ColumnElement[bool]:
    """SQL condition: the last answer was that this recipient takes no letter for now, as of a full mailbox."""
    beginning = recorded(DEFERRED_WORDS).partition("%")[0]
    return func.coalesce(MailLetter.answer, "").startswith(beginning, autoescape=True)


def counts(session: Session) -> tuple[int, int, int]:
    """(number of waiting letters, number of these that are deferred, number set aside)."""
    aside = MailLetter.set_aside_at.is_not(None)
    deferred = func.count(case((and_(~aside, _is_deferred()), 1)))
    counted = select(func.count(case((~aside, 1))), deferred, func.count(case((aside, 1)))).where(UNSENT)
    waiting, not_now, set_aside = session.execute(counted).one()
    return waiting, not_now, set_aside


def last_deferral(session: Session) -> tuple[str, str] | None:
    """(user name, answer of the mail server) of the newest deferred letter; None if there is none."""
    which = (UNSENT, MailLetter.set_aside_at.is_(None), _is_deferred())
    newest = select(Account.username, MailLetter.answer).join(Account).where(*which).order_by(MailLetter.id.desc())
    found = session.execute(newest.limit(1)).one_or_none()
    return None if found is None else (found[0], str(found[1]))


def problems(session: Session, pace: Pace) -> list[str]:
    """Word of /healthz: `mail` (letters are overdue). Letters set aside concern their recipients only.

    So do deferred ones, unless the server has deferred letters of several accounts and accepted none since, or those of
    MANY accounts, as with a quota.
    """
    now, accepted = clock.now(), aliased(MailLetter)
    lately = (accepted.answer == recorded(SENT_WORDS), accepted.queued_at > now - 2 * STALE)  # for the index
    last = select(func.max(accepted.sent_at)).where(*lately).scalar_subquery()
    late, deferred = queue.late(MailLetter, now, pace.overdue), _is_deferred()
    refused = and_(late, deferred, or_(last.is_(None), MailLetter.queued_at > last))
    refusing = func.count(case((refused, MailLetter.account_id)).distinct())
    waiting = func.count(case((and_(late, deferred), MailLetter.account_id)).distinct())
    found = select(func.count(case((and_(late, ~deferred), 1))), refusing, waiting)
    overdue, accounts, many = session.execute(found.where(UNSENT, MailLetter.set_aside_at.is_(None))).one()
    return ["mail"] if overdue or accounts > 1 or many >= MANY else []
