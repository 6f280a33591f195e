"""消息: one row for each person whom an event concerns, written in the transaction of the act (events.py says whom).

A row holds no title and no opinion: what it is about is read when it is shown, under row security (models/access),
so that nobody sees more by a message than by the application itself.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, exists, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.application import Application
from models.clock import Moment
from models.database import Base
from models.notifications.announcements import Announcement
from models.notifications.events import EVENTS, TELLS, Telling
from models.notifications.letters import NO_SYNC, MailLetter
from models.people.accounts import Account, Organisation
from models.people.mail_address import MailWish
from models.vocabulary import Role, Word

MOST_COUNTED = 99
ACTIVE = Account.active & or_(Account.organisation_id.is_(None), Account.organisation.has(Organisation.active))


class Notification(Base):
    """One message to one account. Row security: its own account's alone, and of what that account may see now.

    `key` names the event, so that nobody is told twice. `organisation_id`: the unit whose business it was; who has left
    the unit no longer sees it. `detail`: what is said of no application (names, a period), or a date.
    """

    __tablename__ = "notification"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    event: Mapped[str] = mapped_column(String(32), info={"label": _l("类别")})
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("时间")})
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    mailed_at: Mapped[datetime | None] = mapped_column(Moment)  # told by an e-mail, alone or in a digest
    application_id: Mapped[int | None] = mapped_column(ForeignKey("application.id", ondelete="RESTRICT"), index=True)
    announcement_id: Mapped[int | None] = mapped_column(ForeignKey("announcement.id", ondelete="RESTRICT"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    detail: Mapped[str | None] = mapped_column(String(300))

    application: Mapped[Application | None] = relationship()
    announcement: Mapped[Announcement | None] = relationship()

    __table_args__ = (UniqueConstraint("account_id", "key"), Index(None, "account_id", "at", "id"))

    @property
    def what(self) -> Word:
        """The event as a word of the vocabulary."""
        return EVENTS[self.event]

    @property
    def telling(self) -> Telling:
        return TELLS[self.what]

    @property
    def sentence(self) -> str:
        """What it says; of an application its number alone."""
        subject = self.announcement.title if self.announcement else self.detail
        number = self.application.number if self.application else ""
        return str(self.telling.words) % {"number": number, "detail": subject or ""}


UNREAD = Notification.read_at.is_(None)
Index("ix_notification_unread", Notification.account_id, sqlite_where=UNREAD, postgresql_where=UNREAD)


def tell(session: Session, application: Application, event: Word, key: str, detail: str | None = None) -> None:
    """Tell of an event whom it concerns, if anybody; `key` names it. Flushes; the caller commits it with the act."""
    if event not in TELLS:
        return
    concerned: dict[Role, ColumnElement[bool]] = {
        Role.PUBLISHER: Account.organisation_id == application.applicant_id,  # who filed, be it an entrusted unit
        Role.REVIEWER: Account.province == application.province,
    }
    which = or_(*((Account.role == role) & concerned[role] for role in TELLS[event].to))
    tell_accounts(session, which, event, key, application_id=application.id, detail=detail)


def tell_accounts(session: Session, which: ColumnElement[bool], event: Word, key: str, **about: Any) -> None:
    """One message to each active account `which` that has none of this key, and its letter where it wishes one.

    `about`: further columns. That somebody has been told is seen by a session without row security alone.
    """
    earlier = exists().where(Notification.account_id == Account.id, Notification.key == key)
    people = session.execute(select(Account.id, Account.email, Account.mail_wish).where(ACTIVE, which, ~earlier)).all()
    now = clock.now()
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
    """How many unread messages this session sees, up to one more than MOST_COUNTED."""
    unread = select(Notification.id).where(UNREAD).limit(MOST_COUNTED + 1)
    return int(session.execute(select(func.count()).select_from(unread.subquery())).scalar() or 0)


def mark_read(session: Session, message: Notification) -> None:
    """Note when it was read first; the caller commits."""
    message.read_at = message.read_at or clock.now()


def mark_mailed(session: Session, message_ids: Iterable[int]) -> None:
    """Note that these messages were told by an e-mail; the caller commits it with the letter."""
    mailed = update(Notification).where(Notification.id.in_(list(message_ids))).values(mailed_at=clock.now())
    session.execute(mailed, **NO_SYNC)


def mark_all_read(session: Session) -> int:
    """Mark every message that this session sees; how many were unread. The caller commits."""
    marked: Any = session.execute(update(Notification).where(UNREAD).values(read_at=clock.now()), **NO_SYNC)
    return int(marked.rowcount)
