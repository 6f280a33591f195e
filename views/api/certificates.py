"""Certificates as objects: number, dates, certificate replaced, revocation, 核注 and 核销."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.application import Application, trail
from models.certificate import Certificate
from models.certificate.uses import CertificateUse
from models.database import db
from models.numbering import is_certificate_number
from models.vocabulary import Action
from views.api.applications import CERTIFICATE, Listing, listed, number_of_other
from views.api.values import TEXT, Field, as_json, columns, of_part


@dataclass(frozen=True)
class Issued:
    """An application that has a certificate; `revoked_at`: None as long as it is valid."""

    application: Application
    certificate: Certificate
    revoked_at: datetime | None


USE = columns(CertificateUse, "usage", "at", "reference")
ITEM = (  # every change of these has an entry in the trail of the certificate's own application
    *of_part(lambda issued: issued.certificate, CERTIFICATE),
    Field("application", lambda: TEXT, lambda issued: issued.application.number),
    *of_part(
        lambda issued: issued.application,
        columns(Application, "status", "title", "publisher_name", "publisher_code", "province"),
    ),
    number_of_other("replaces", lambda issued: issued.certificate.replaces),
    Field(
        "revoked_at",
        lambda: {"title": str(Action.REVOKE.label), "type": ["string", "null"], "format": "date-time"},
        lambda issued: issued.revoked_at and issued.revoked_at.isoformat(),
    ),
    *of_part(lambda issued: issued.certificate, (listed("uses", USE),)),
)
WHOLE = (*ITEM, number_of_other("replaced_by", lambda issued: issued.certificate.replaced_by))
ALONE = joinedload(Application.certificate).load_only(
    Certificate.replaces_id, *(getattr(Certificate, field.name) for field in CERTIFICATE)
)


class Certificates(Listing):
    """The certificates of a list of applications; `only` selects those that have one."""

    def items(self, rows: list[Application]) -> list[dict[str, Any]]:
        return [as_json(self.fields, issued) for issued in issued_of(rows)]


CERTIFICATES = Certificates(
    ITEM,
    (Application.issued == 1,),
    (ALONE.selectinload(Certificate.uses), ALONE.joinedload(Certificate.replaces).load_only(Certificate.number)),
)


def issued_of(rows: list[Application]) -> Iterable[Issued]:
    """The applications with the times of their revocations, by one query."""
    revoked = trail.moments(db.session(), Action.REVOKE, [row.id for row in rows])
    return [Issued(row, row.certificate, revoked.get(row.id)) for row in rows if row.certificate is not None]


def details(number: str) -> dict[str, Any]:
    """One certificate; 404 for a number that this account does not see."""
    if not is_certificate_number(number):
        abort(404)
    named = Application.certificate.has(Certificate.number == number)
    row = db.session.scalar(select(Application).options(*CERTIFICATES.options).where(named)) or abort(404)
    return as_json(WHOLE, next(iter(issued_of([row]))))
