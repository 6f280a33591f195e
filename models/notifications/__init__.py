"""消息: one row for each account that an event concerns (events.py), written in the transaction of the act.

A row holds no title and no opinion: its subject is read when it is shown, under row security (models/access), so that a
message discloses nothing that its reader may not see now.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, exists, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.application import Application
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.language import recorded
from models.notifications.announcements import Announcement
from models.notifications.events import EVENTS, RULES, WORDED, Rule
from models.notifications.letters import MailLetter
from models.people.accounts import Account, Organisation
from models.people.mail_address import MailWish
from models.vocabulary import Role, Word

MOST_COUNTED = 99


class Notification(Base):
    """One message to one account. Row security: the account's own, as long as it may see the subject.

    `key` identifies the event, so that an account gets one message of it. `organisation_id`: the unit concerned; an
    account that has left it does not see the message any more. `detail`: names, a period, or a date.
    """

    __tablename__ = "notification"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    event: Mapped[str] = mapped_column(String(32), info={"label": _l("类别")})
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("时间")})
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    mailed_at: Mapped[datetime | None] = mapped_column(Moment)  # when it was sent by e-mail, alone or in a digest
    application_id: Mapped[int | None] = mapped_column(ForeignKey("application.id", ondelete="RESTRICT"), index=True)
    announcement_id: Mapped[int | None] = mapped_column(ForeignKey("announcement.id", ondelete="RESTRICT"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    detail: Mapped[str | None] = mapped_column(String(300))

    application: Mapped[Application | None] = relationship()
    announcement: Mapped[Announcement | None] = relationship()

    __table_args__ = (
        UniqueConstraint("account_id", "key"),
        Index(None, "account_id", "at", "id"),
        {"implicit_returning": False},  # as of LogEntry: the inserting role may not read the message
    )

    @property
    def what(self) -> Word:
        """The event as a word of the vocabulary."""
        return EVENTS[self.event]

    @property
    def rule(self) -> Rule:
        return RULES[self.what]

    @property
    def sentence(self) -> str:
        """The text; of an application it contains only the number."""
        return self.sentence_in(str)

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        """As `sentence`; a detail that the system has worded, stored in Chinese, goes through `translate`."""
        subject = self.announcement.title if self.announcement else self.detail
        if subject and self.what in WORDED:
            subject = translate(subject)
        number = self.application.number if self.application else ""
        return str(self.rule.words) % {"number": number, "detail": subject or ""}


UNREAD = Notification.read_at.is_(None)
COUNT = select(func.count()).select_from(select(Notification.id).where(UNREAD).limit(MOST_COUNTED + 1).subquery())
Index("ix_notification_unread", Notification.account_id, sqlite_where=UNREAD, postgresql_where=UNREAD)


def notify(session: Session, application: Application, event: Word, key: str, detail: str | None = None) -> None:
    """Notify the accounts that an event concerns by RULES; `key` identifies it. Flushes; the caller commits."""
    if event not in RULES:
        return
    concerned: dict[Role, ColumnElement[bool]] = {
        # The applicant, which may be an entrusted unit.
        Role.PUBLISHER: Account.organisation_id == application.applicant_id,
        Role.REVIEWER: Account.province == application.province,
    }
    which = or_(*((Account.role == role) & concerned[role] for role in RULES[event].to))
    notify_accounts(session, which, event, key, application_id=application.id, detail=detail)


def notify_accounts(session: Session, which: ColumnElement[bool], event: Word, key: str, **about: Any) -> None:
    """Add a message for each active account `which` that has none of this key, and its e-mail if the account wants it.

    `about`: further columns; a lazy `detail` is stored in Chinese. Existing messages are found only by a session that
    sees everything.
    """
    earlier = exists().where(Notification.account_id == Account.id, Notification.key == key)
    active = Account.active & or_(Account.organisation_id.is_(None), Account.organisation.has(Organisation.active))
    wanted = select(Account.id, Account.email, Account.mail_wish).where(active, which, ~earlier)
    people = session.execute(wanted.order_by(Account.id)).all()
    now = clock.now()
    if about.get("detail") is not None:
        about["detail"] = recorded(about["detail"])
    rows = {
        person: Notification(account_id=person.id, event=event.value, key=key, at=now, **about) for person in people
    }
    session.add_all(rows.values())
    session.flush()
    session.add_all(
        MailLetter(account_id=person.id, notification_id=row.id, queued_at=now)
        for person, row in rows.items()
        if person.email and person.mail_wish is MailWish.EACH
    )
    session.flush()


def unread_count(session: Session) -> int:
    """The number of unread messages that this session sees, counted up to MOST_COUNTED + 1."""
    return session.scalar(COUNT) or 0


def mark_read(session: Session, message: Notification) -> None:
    """Store the time of the first reading; the caller commits."""
    message.read_at = message.read_at or clock.now()


def mark_mailed(session: Session, message_ids: Iterable[int]) -> None:
    """Record that these messages were sent by e-mail; the caller commits it with the letter."""
    mailed = update(Notification).where(Notification.id.in_(list(message_ids))).values(mailed_at=clock.now())
    session.execute(mailed, **NO_SYNC)


def mark_all_read(session: Session) -> int:
    """Mark every message that this session sees as read; returns how many were unread. The caller commits."""
    marked: Any = session.execute(update(Notification).where(UNREAD).values(read_at=clock.now()), **NO_SYNC)
    return int(marked.rowcount)
