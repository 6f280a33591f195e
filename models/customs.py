"""What customs is to be told: an outbox row, written in the transaction of the act it tells of."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.application import Application, Child
from models.certificate import Certificate
from models.clock import Moment
from models.db import Base
from models.vocabulary import Action, WordColumn


class CustomsMessage(Child, Base):
    """One message to customs. Its id is stable (certificate + version), so that sending twice can be told apart."""

    __tablename__ = "customs_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), index=True)
    message_id: Mapped[str] = mapped_column(String(64), unique=True, info={"label": _l("报文编号")})
    act: Mapped[Action] = mapped_column(WordColumn(Action), info={"label": _l("事由")})
    queued_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("入列时间")})

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(info={"label": _l("证明编号")})


def queue(session: Session, application: Application, act: Action) -> CustomsMessage:
    """Put a message in the outbox; the caller commits it with the act."""
    certificate = application.certificate
    assert certificate is not None
    message = CustomsMessage(
        application_id=application.id,
        certificate=certificate,
        message_id=f"{certificate.number}-{application.version}",
        act=act,
        queued_at=clock.now(),
    )
    session.add(message)
    session.flush()
    return message
