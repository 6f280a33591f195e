"""《赴境外加工光盘进口备案证明》: one number, one frozen content, one consignment (domain.md: 一批一证)."""

import hashlib
import json
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock, numbering
from models.accounts import Account
from models.application import Application, Carrier, Child, shown
from models.db import Base

APPLICATION_FIELDS = (
    "number", "applied_on", "applicant_name", "applicant_code", "filing", "publisher_name", "publisher_code",
    "authority", "title", "category", "catalogue_number", "isbn", "isrc", "copyright_owner", "manufacturer",
    "country", "sid_code", "contract_number", "port", "consignee", "hs_code", "trade_mode", "expected_on",
)  # fmt: skip
CARRIER_FIELDS = (
    "position", "kind", "specification", "quantity", "unit", "name", "catalogue_number",
    "unit_price", "currency", "note",
)  # fmt: skip


class Certificate(Child, Base):
    """Written once by the granting transaction, never changed: a mistake means revoke and apply again."""

    __tablename__ = "certificate"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True, info={"label": _l("证明编号")})
    issued_on: Mapped[date] = mapped_column(info={"label": _l("签发日期")})
    authority: Mapped[str] = mapped_column(String(50), info={"label": _l("签发机关")})
    signer: Mapped[str] = mapped_column(String(50), info={"label": _l("签发人")})
    content: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))

    application: Mapped[Application] = relationship(back_populates="certificate")
    __table_args__ = (UniqueConstraint("application_id"),)

    def __str__(self) -> str:
        return self.number

    @property
    def snapshot(self) -> dict[str, Any]:
        """What was granted, as text: field → value, and `carriers`: a list of such rows."""
        return json.loads(self.content)


def issue(session: Session, application: Application, by: Account) -> Certificate:
    """Number and freeze what is granted, inside the granting transaction; the caller commits."""
    assert application.province and application.authority
    day = clock.today()
    content = json.dumps(frozen(application), ensure_ascii=False, sort_keys=True)
    certificate = Certificate(
        application=application,
        application_id=application.id,
        number=numbering.certificate_number(session, application.province, day),
        issued_on=day,
        authority=application.authority,
        signer=by.name,
        content=content,
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )
    session.add(certificate)
    session.flush()
    return certificate


def frozen(application: Application) -> dict[str, Any]:
    """The snapshot: every granted field as people read it, and every carrier row."""
    return _texts(application, APPLICATION_FIELDS) | {
        "carriers": [_texts(carrier, CARRIER_FIELDS) for carrier in application.carriers]
    }


def _texts(row: Application | Carrier, names: tuple[str, ...]) -> dict[str, str]:
    return {name: str(value) for name in names if (value := shown(row, name)) is not None}


@event.listens_for(Certificate, "before_update")
@event.listens_for(Certificate, "before_delete")
def never_changed(_mapper: Any, _connection: Any, _certificate: Certificate) -> None:
    """What has been issued stays as it was issued."""
    raise RuntimeError("a certificate never changes")
