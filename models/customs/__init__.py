"""Outbox of messages to customs: each is written in the transaction of the act that it reports, then sent and answered.

Once an attempt may have been delivered (`sent_in`), a status query precedes every resend; after too many faults the
message is set aside until a person releases it (outbox.py).
"""

from collections.abc import Iterable
from datetime import datetime
from operator import eq
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    Boolean,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    false,
    func,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.hybrid import Comparator, hybrid_method, hybrid_property
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column, relationship

from models import clock
from models.application import Application
from models.application.child import Child, OfApplication
from models.certificate import Certificate
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.queue import Queued, storable
from models.vocabulary import Action, Delivery, WordColumn

DXP = "http://www.chinaport.gov.cn/dxp"  # namespace of the E-port's envelopes and receipts
OPEN = sql("answered_at IS NULL")
# Every column by which open messages are counted (health.py), so that the index alone answers.
OF_OPEN = ("desk", "queued_at", "id", "answered_at", "sent_in", "sent_at", "set_aside_at")
OF_STUCK = ("desk", "set_aside_at", "sent_at", "answered_at")  # messages that the menu counts; again the index alone
REJECTED: dict[str, Any] = {"sqlite_where": sql("accepted IS 0"), "postgresql_where": sql("accepted IS false")}


FACTS: dict[Delivery, dict[str, bool]] = {  # column → whether it is set (`accepted`: true); the first match counts
    Delivery.QUEUED: {"answered_at": False, "set_aside_at": False, "sent_in": False},
    Delivery.SENT: {"answered_at": False, "set_aside_at": False, "sent_in": True},
    Delivery.SET_ASIDE: {"answered_at": False, "set_aside_at": True},
    Delivery.ACCEPTED: {"accepted": True},
    Delivery.REJECTED: {"accepted": False},
}


class DeliveryComparator(Comparator[Any]):
    """`CustomsMessage.state == Delivery.SENT` as conditions on plain columns, which an index can answer."""

    property: Any = None  # Flask-Admin asks whether it is a relationship

    def operate(self, op: Any, *other: Any, **_options: Any) -> ColumnElement[bool]:
        """Raises NotImplementedError for any other comparison."""
        if op is not eq:
            raise NotImplementedError(f"a state can only be compared by ==, not by {op}")
        (state,) = other
        return and_(*(_is(name, fact) for name, fact in FACTS[state].items()))


class CustomsMessage(Queued, OfApplication, Base):
    """One message to customs. `message_id` (certificate number, version) is the idempotency key."""

    __tablename__ = "customs_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), index=True)
    # Application.desk, held equal by a trigger: row security then reads no application for each message counted.
    desk: Mapped[str] = mapped_column(String(6))
    message_id: Mapped[str] = mapped_column(String(64), unique=True, info={"label": _l("报文编号")})
    act: Mapped[Action] = mapped_column(WordColumn(Action), info={"label": _l("事由")})
    sent_in: Mapped[int | None]  # first attempt that may have been delivered; None: not delivered
    sent_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("发送时间")})
    answered_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("回执时间")})
    accepted: Mapped[bool | None]
    by_hand: Mapped[bool] = mapped_column(default=False, server_default=false())  # settled by a person, not a receipt
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id", ondelete="RESTRICT"), index=True)

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(info={"label": _l("证明编号")})
    letters: Mapped[list["CustomsLetter"]] = relationship(order_by="CustomsLetter.id")
    notes: Mapped[list["CustomsNote"]] = relationship(back_populates="message", order_by="CustomsNote.id")
    __table_args__ = (
        Index(None, "next_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index(None, "desk", "id"),
        Index(None, "desk", "queued_at", "id"),
        Index(None, "desk", "message_id", "id"),
        Index("ix_customs_message_open", *OF_OPEN, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_customs_message_stuck", *OF_STUCK, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_customs_message_rejected", "desk", "id", **REJECTED),
        Index("ix_customs_message_act_rejected", "act", "id", **REJECTED),
    )

    @hybrid_property
    def state(self) -> Delivery:
        """State of delivery, by FACTS here and in SQL."""
        return next(
            state for state, facts in FACTS.items() if all(bool(getattr(self, n)) is f for n, f in facts.items())
        )

    @state.inplace.comparator
    @classmethod
    def _state_comparator(cls) -> DeliveryComparator:
        return DeliveryComparator(cls.id)

    @hybrid_method
    def unanswered(self, since: datetime) -> bool:
        """久未回执: sent before `since` and not answered by customs; on the class, the condition in SQL."""
        return self.answered_at is None and self.sent_at is not None and self.sent_at < since

    @unanswered.expression
    @classmethod
    def _unanswered(cls, since: datetime) -> ColumnElement[bool]:
        return and_(cls.answered_at.is_(None), cls.sent_at < since)

    @property
    def must_query(self) -> bool:
        """An earlier attempt may have been delivered: query first, do not resend."""
        return self.sent_in != self.attempts


class CustomsLetter(Child, Base):
    """One attempt: the message or (`asks`) a status query; `raw`: the bytes sent, None if none were written."""

    __tablename__ = "customs_letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    customs_message_id: Mapped[int] = mapped_column(ForeignKey("customs_message.id", ondelete="RESTRICT"))
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    asks: Mapped[bool]
    raw: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    has_raw: Mapped[bool] = column_property(raw.column.is_not(None))  # type: ignore[attr-defined]

    application: Mapped[Application] = relationship()
    __table_args__ = (UniqueConstraint("customs_message_id", "attempt"),)


class CustomsNote(Child, Base):
    """Outcome of one attempt, or one result of a receipt (`place`: its index); append-only."""

    __tablename__ = "customs_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    customs_message_id: Mapped[int] = mapped_column(ForeignKey("customs_message.id", ondelete="RESTRICT"), index=True)
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("customs_receipt.id", ondelete="RESTRICT"))
    place: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Moment, default=clock.now)
    words: Mapped[str] = mapped_column(Text)
    part: Mapped[str | None] = mapped_column(Text)  # XML element of the receipt about this message

    application: Mapped[Application] = relationship()
    message: Mapped[CustomsMessage] = relationship(back_populates="notes")
    __table_args__ = (UniqueConstraint("receipt_id", "place"),)


def _is(name: str, fact: bool) -> ColumnElement[bool]:
    column = getattr(CustomsMessage, name)
    if isinstance(column.type, Boolean):
        return column.is_(fact)
    return column.is_not(None) if fact else column.is_(None)


def unanswered_of(session: Session, application: Application, since: datetime) -> CustomsMessage | None:
    """The first message about the application that was sent before `since` and has no answer."""
    found = select(CustomsMessage).where(
        CustomsMessage.application_id == application.id, CustomsMessage.unanswered(since)
    )
    return session.scalar(found.order_by(CustomsMessage.id).limit(1))


def enqueue(session: Session, application: Application, act: Action) -> CustomsMessage:
    """Add a message to the outbox; flushes, the caller commits it with the act."""
    certificate, moment = application.certificate, clock.now()
    assert certificate is not None
    message = CustomsMessage(
        application_id=application.id,
        desk=application.province,
        certificate=certificate,
        message_id=f"{certificate.number}-{application.version}",
        act=act,
        queued_at=moment,
        next_at=moment,
    )
    session.add(message)
    session.flush()
    return message


def last_message(session: Session, application: Application) -> CustomsMessage | None:
    """The newest message about the application; None: there is none."""
    messages = select(CustomsMessage).where(CustomsMessage.application_id == application.id)
    return session.scalar(messages.order_by(CustomsMessage.id.desc()).limit(1))


def last_ids(session: Session, applications: Iterable[int]) -> set[int]:
    """The id of the newest message about each of these applications."""
    newest = select(func.max(CustomsMessage.id)).where(CustomsMessage.application_id.in_(applications))
    return set(session.scalars(newest.group_by(CustomsMessage.application_id)))


def is_rejected(message: CustomsMessage | None) -> bool:
    return message is not None and message.state is Delivery.REJECTED


def record_answer(
    session: Session, accepted: bool, answer: str, *which: ColumnElement[bool], by_hand: bool = False
) -> bool:
    """Record customs' answer on the open messages `which`; False when none is open. The caller commits."""
    closing = update(CustomsMessage).where(*which, CustomsMessage.answered_at.is_(None))
    values = {"answered_at": clock.now(), "accepted": accepted, "answer": answer, "claimed_until": None}
    values |= {"set_aside_at": None, "by_hand": by_hand}
    return bool(session.scalars(closing.values(values).returning(CustomsMessage.id), **NO_SYNC).all())


def add_note(
    session: Session,
    message: CustomsMessage,
    words: str,
    receipt_id: int | None = None,
    place: int | None = None,
    part: str | None = None,
) -> None:
    """Append a note about an attempt, or about result `place` of a receipt; the caller commits."""
    entry = CustomsNote(
        application_id=message.application_id, message=message, at=clock.now(), words=column_text(words), part=part
    )
    entry.receipt_id, entry.place = receipt_id, place
    session.add(entry)


def column_text(words: str) -> str:
    """`words` from outside as stored: without NUL and lone surrogates, at most 500 characters."""
    return storable(words)[:500]
