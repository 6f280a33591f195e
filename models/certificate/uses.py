"""核注 and 核销: the use of a certificate as customs reports it; the status of the application does not change."""

import hashlib
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.application import Application
from models.application.child import Child
from models.application.fingerprint import canonical
from models.certificate import Certificate
from models.clock import Moment
from models.database import Base
from models.vocabulary import Reply, Word, WordColumn

LONGEST_REFERENCE = 64  # characters


class Usage(Word):
    """The kinds of use that customs reports; values and labels are those of Reply."""

    NOTED = Reply.NOTED.value, Reply.NOTED.label
    USED_UP = Reply.USED_UP.value, Reply.USED_UP.label


class CertificateUse(Child, Base):
    """One reported use; append-only. `place`: index of the result in its receipt. A repeated report is not recorded."""

    __tablename__ = "certificate_use"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"))
    usage: Mapped[Usage] = mapped_column(WordColumn(Usage), info={"label": _l("核销情况")})
    at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("海关办理时间")})
    reference: Mapped[str] = mapped_column(String(LONGEST_REFERENCE), info={"label": _l("海关单号")})
    receipt_id: Mapped[int] = mapped_column(ForeignKey("customs_receipt.id", ondelete="RESTRICT"), index=True)
    place: Mapped[int]
    recorded_at: Mapped[datetime] = mapped_column(Moment)

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(back_populates="uses")

    __table_args__ = (UniqueConstraint("certificate_id", "usage", "reference"),)

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the report, for the entry in the trail."""
        facts = {"usage": self.usage.value, "at": int(self.at.timestamp()), "reference": self.reference}
        return hashlib.sha256(canonical(facts | {"certificate_id": self.certificate_id})).hexdigest()
