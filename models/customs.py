"""What customs is to be told: an outbox row, written in the transaction of the act it tells of, and its way out."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from lxml import etree  # type: ignore[import-untyped,unused-ignore]
from lxml.builder import ElementMaker  # type: ignore[import-untyped,unused-ignore]
from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, exists, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from models import clock
from models.application import Application, Child
from models.certificate import APPLICATION_FIELDS, CARRIER_FIELDS, Certificate
from models.clock import Moment
from models.db import Base
from models.vocabulary import Action, WordColumn

LEASE = timedelta(minutes=2)  # a deliverer that says nothing for so long is taken for dead
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
NAMESPACE = "urn:filing:certificate-message:1"  # ours: customs' own message for certificate Z is not public
SCHEMA = Path(__file__).with_name("customs.xsd")
CERTIFICATE_FIELDS = ("number", "issued_on", "authority", "signer", "digest")
OPEN = text("answered_at IS NULL")
QUIETLY: dict[str, Any] = {"execution_options": {"synchronize_session": False}}


class CustomsMessage(Child, Base):
    """One message to customs. Its id is stable (certificate + version), so that sending twice can be told apart."""

    __tablename__ = "customs_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), index=True)
    message_id: Mapped[str] = mapped_column(String(64), unique=True, info={"label": _l("报文编号")})
    act: Mapped[Action] = mapped_column(WordColumn(Action), info={"label": _l("事由")})
    queued_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("入列时间")})
    next_at: Mapped[datetime] = mapped_column(Moment, default=clock.now)
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0, info={"label": _l("次数")})
    answered_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("回执时间")})
    accepted: Mapped[bool | None]
    answer: Mapped[str | None] = mapped_column(Text, info={"label": _l("回执")})  # or why there is none yet

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(info={"label": _l("证明编号")})
    __table_args__ = (Index(None, "next_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),)


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


def claim(session: Session) -> CustomsMessage | None:
    """The next due message, ours for LEASE; of many deliverers one gets it. Commits, and so counts the attempt.

    A message waits for those before it of the same certificate (grant before revoke), for no other.
    """
    due, earlier, now = aliased(CustomsMessage), aliased(CustomsMessage), clock.now()
    before = exists().where(
        earlier.certificate_id == due.certificate_id, earlier.id < due.id, earlier.answered_at.is_(None)
    )
    next_one = (
        select(due.id)
        .where(due.answered_at.is_(None), due.next_at <= now, ~before)
        .where(or_(due.claimed_until.is_(None), due.claimed_until <= now))
        .order_by(due.next_at, due.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=due)  # PostgreSQL; SQLite has one writer at a time anyway
    )
    taking = update(CustomsMessage).where(CustomsMessage.id == next_one.scalar_subquery())
    values = {"attempts": CustomsMessage.attempts + 1, "claimed_until": now + LEASE}
    key = session.scalar(taking.values(values).returning(CustomsMessage.id), **QUIETLY)
    session.commit()
    return None if key is None else session.get_one(CustomsMessage, key)


def settle(session: Session, accepted: bool, answer: str, *which: ColumnElement[bool]) -> bool:
    """Note customs' answer on the open messages `which`; False when none is open: it was noted before."""
    closing = update(CustomsMessage).where(*which, CustomsMessage.answered_at.is_(None))
    values = {"answered_at": clock.now(), "accepted": accepted, "answer": answer, "claimed_until": None}
    return bool(session.scalars(closing.values(values).returning(CustomsMessage.id), **QUIETLY).all())


def postpone(session: Session, key: int, attempts: int, why: str) -> None:
    """Try again after a pause that grows and varies; `attempts` tells whether the claim is still ours."""
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE) * random.uniform(0.8, 1.2)
    ours = (CustomsMessage.id == key, CustomsMessage.attempts == attempts, CustomsMessage.answered_at.is_(None))
    values = {"next_at": clock.now() + pause, "claimed_until": None, "answer": why.replace("\0", "")[:500]}
    session.execute(update(CustomsMessage).where(*ours).values(values), **QUIETLY)
    session.commit()


def ledger(session: Session) -> dict[str, bool | None]:
    """Every message that has been sent at least once: its id, and whether customs accepted it (None: no answer)."""
    sent = select(CustomsMessage.message_id, CustomsMessage.accepted).where(CustomsMessage.attempts > 0)
    return dict(session.execute(sent).all())


def business_xml(message: CustomsMessage) -> bytes:
    """What is sent: the certificate as granted, never the application as it is now; the same bytes every time."""
    make, certificate = ElementMaker(namespace=NAMESPACE, nsmap={None: NAMESPACE}), message.certificate
    snapshot = certificate.snapshot
    granted = {name: str(getattr(certificate, name)) for name in CERTIFICATE_FIELDS}

    def filled(texts: dict[str, str], names: tuple[str, ...]) -> list[Any]:
        return [make(name, texts[name]) for name in names if name in texts]

    root = make.certificate_message(
        make.message_id(message.message_id),
        make.act(message.act.value),
        make.queued_at(message.queued_at.isoformat()),
        make.certificate(*filled(granted, CERTIFICATE_FIELDS)),
        make.application(*filled(snapshot, APPLICATION_FIELDS)),
        make.carriers(*(make.carrier(*filled(row, CARRIER_FIELDS)) for row in snapshot["carriers"])),
    )
    etree.XMLSchema(file=SCHEMA).assertValid(root)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def parsed(xml: bytes) -> Any:
    """The root of a business message; raises when it is none by the schema."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    etree.XMLSchema(file=SCHEMA).assertValid(root)
    return root
