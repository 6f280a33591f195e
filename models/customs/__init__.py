"""What customs is to be told: a message, written in the transaction of the act it tells of, and what became of it.

It is queued, sent, and answered. Once it may have left the house (`sent_in`) it is asked for before it is sent again;
after too many faults of its own it is set aside, and a person releases it (outbox.py).
"""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    false,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column, relationship

from models import clock
from models.application import Application
from models.application.child import Child
from models.certificate import Certificate
from models.clock import Moment
from models.database import Base
from models.queue import Queued, storable
from models.vocabulary import Action, Delivery, WordColumn

OPEN = sql("answered_at IS NULL")
QUIETLY: dict[str, Any] = {"execution_options": {"synchronize_session": False}}


class CustomsMessage(Queued, Child, Base):
    """One message to customs. Its id is stable (certificate + version), so that sending twice can be told apart."""

    __tablename__ = "customs_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), index=True)
    message_id: Mapped[str] = mapped_column(String(64), unique=True, info={"label": _l("报文编号")})
    act: Mapped[Action] = mapped_column(WordColumn(Action), info={"label": _l("事由")})
    sent_in: Mapped[int | None]  # the attempt by which it may have arrived; None: it is not there
    sent_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("发送时间")})
    answered_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("回执时间")})
    accepted: Mapped[bool | None]
    by_hand: Mapped[bool] = mapped_column(default=False, server_default=false())  # settled by a person, not a receipt

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(info={"label": _l("证明编号")})
    letters: Mapped[list["CustomsLetter"]] = relationship(order_by="CustomsLetter.id")
    notes: Mapped[list["CustomsNote"]] = relationship(back_populates="message", order_by="CustomsNote.id")
    __table_args__ = (Index(None, "next_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),)

    @property
    def state(self) -> Delivery:
        """How far it has come; the same as DELIVERIES says in SQL."""
        if self.answered_at:
            return Delivery.ACCEPTED if self.accepted else Delivery.REJECTED
        if self.set_aside_at:
            return Delivery.SET_ASIDE
        return Delivery.QUEUED if self.sent_in is None else Delivery.SENT

    def unanswered(self, since: datetime) -> bool:
        """Whether it was sent before `since` and customs has not answered; the same as long_unanswered() in SQL."""
        return self.answered_at is None and self.sent_at is not None and self.sent_at < since

    @property
    def unsure(self) -> bool:
        """Whether it may have arrived by an attempt before the one it is claimed for: ask before sending again."""
        return self.sent_in != self.attempts


class CustomsLetter(Child, Base):
    """One attempt: the message, or a question what became of it; `raw` as it left, None where it was not written."""

    __tablename__ = "customs_letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    customs_message_id: Mapped[int] = mapped_column(ForeignKey("customs_message.id", ondelete="RESTRICT"))
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    asks: Mapped[bool]
    raw: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    left: Mapped[bool] = column_property(raw.column.is_not(None))  # type: ignore[attr-defined]

    application: Mapped[Application] = relationship()
    __table_args__ = (UniqueConstraint("customs_message_id", "attempt"),)


class CustomsNote(Child, Base):
    """What became of one attempt, or what one place of a receipt said, noted once; only ever appended."""

    __tablename__ = "customs_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    customs_message_id: Mapped[int] = mapped_column(ForeignKey("customs_message.id", ondelete="RESTRICT"), index=True)
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("customs_receipt.id", ondelete="RESTRICT"))
    place: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Moment, default=clock.now)
    words: Mapped[str] = mapped_column(Text)
    part: Mapped[str | None] = mapped_column(Text)  # of the receipt, what is about this message

    application: Mapped[Application] = relationship()
    message: Mapped[CustomsMessage] = relationship(back_populates="notes")
    __table_args__ = (UniqueConstraint("receipt_id", "place"),)


_OPEN, _AWAY = CustomsMessage.answered_at.is_(None), CustomsMessage.set_aside_at.is_not(None)
DELIVERIES: dict[Delivery, ColumnElement[bool]] = {
    Delivery.QUEUED: and_(_OPEN, ~_AWAY, CustomsMessage.sent_in.is_(None)),
    Delivery.SENT: and_(_OPEN, ~_AWAY, CustomsMessage.sent_in.is_not(None)),
    Delivery.SET_ASIDE: and_(_OPEN, _AWAY),
    Delivery.ACCEPTED: CustomsMessage.accepted.is_(True),
    Delivery.REJECTED: CustomsMessage.accepted.is_(False),
}


def long_unanswered(since: datetime) -> ColumnElement[bool]:
    """Messages that were sent before `since`, and that customs has not answered: 久未回执."""
    return and_(_OPEN, CustomsMessage.sent_at < since)


def unanswered_of(session: Session, application: Application, since: datetime) -> CustomsMessage | None:
    """The first message about it that was sent before `since` and has no answer."""
    found = select(CustomsMessage).where(CustomsMessage.application_id == application.id, long_unanswered(since))
    return session.scalar(found.order_by(CustomsMessage.id).limit(1))


def queue(session: Session, application: Application, act: Action) -> CustomsMessage:
    """Put a message in the outbox; the caller commits it with the act."""
    certificate, moment = application.certificate, clock.now()
    assert certificate is not None
    message = CustomsMessage(
        application_id=application.id,
        certificate=certificate,
        message_id=f"{certificate.number}-{application.version}",
        act=act,
        queued_at=moment,
        next_at=moment,
    )
    session.add(message)
    session.flush()
    return message


def last(session: Session, application: Application) -> CustomsMessage | None:
    """What customs was told of it last, if anything."""
    told = select(CustomsMessage).where(CustomsMessage.application_id == application.id)
    return session.scalar(told.order_by(CustomsMessage.id.desc()).limit(1))


def rejected(message: CustomsMessage | None) -> bool:
    """Whether customs did not take it."""
    return message is not None and message.state is Delivery.REJECTED


def settle(session: Session, accepted: bool, answer: str, *which: ColumnElement[bool], by_hand: bool = False) -> bool:
    """Note customs' answer on the open messages `which`; False when none is open: it was noted before."""
    closing = update(CustomsMessage).where(*which, CustomsMessage.answered_at.is_(None))
    values = {"answered_at": clock.now(), "accepted": accepted, "answer": answer, "claimed_until": None}
    values |= {"set_aside_at": None, "by_hand": by_hand}
    return bool(session.scalars(closing.values(values).returning(CustomsMessage.id), **QUIETLY).all())


def note(
    session: Session,
    message: CustomsMessage,
    words: str,
    receipt_id: int | None = None,
    place: int | None = None,
    part: str | None = None,
) -> None:
    """Append to what is known of a message: by an attempt, or by one place of a receipt; the caller commits."""
    entry = CustomsNote(
        application_id=message.application_id, message=message, at=clock.now(), words=said(words), part=part
    )
    entry.receipt_id, entry.place = receipt_id, place
    session.add(entry)


def said(words: str) -> str:
    """Words from outside, as far as a column takes them."""
    return storable(words)[:500]
