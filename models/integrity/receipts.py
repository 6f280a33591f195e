"""Compares the stored receipts with the notes and uses made from their results."""

import hashlib
from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application.trail import TrailEntry
from models.certificate.uses import CertificateUse
from models.customs import CustomsMessage, CustomsNote, receipt
from models.customs.receipt import CustomsReceipt, Result

BATCH = 10  # receipts in memory at a time, up to 4 MB each
CHUNK = 500  # message numbers in one query


def contradictions(session: Session) -> Iterator[str]:
    """Yield a sentence for each receipt with changed bytes, or with results that do not match its notes."""
    rows = select(CustomsReceipt).order_by(CustomsReceipt.id).execution_options(yield_per=BATCH)
    for row in session.scalars(rows):
        results, _odd = receipt.interpret(row.name, row.raw)
        if not _is_unchanged(row, results) or not _is_noted(session, row, results):
            yield _("第 %(id)s 份回执“%(name)s”的原文与登记不符。", id=row.id, name=row.name)


def unrecorded_uses(session: Session) -> Iterator[str]:
    """Yield a sentence for each use of a certificate that its receipt or the trail does not have."""
    for use in session.scalars(select(CertificateUse).order_by(CertificateUse.id)):
        row = session.get(CustomsReceipt, use.receipt_id)
        results = receipt.interpret(row.name, row.raw)[0] if row else []
        recorded = results[use.place] if use.place < len(results) else None
        facts = (use.usage, use.reference, use.at)
        agrees = recorded and (recorded.reply.value, recorded.reference, recorded.used_at) == facts
        entry = TrailEntry.application_id == use.application_id, TrailEntry.digest == use.fingerprint()
        if not agrees or session.scalar(select(TrailEntry.id).where(*entry).limit(1)) is None:
            yield _("证明 %(number)s 的核销情况与回执或办理记录不符。", number=use.certificate.number)


def _is_unchanged(row: CustomsReceipt, results: list[Result]) -> bool:
    """Whether the bytes have the digest; that of direct answers and of cut receipts covers more than the bytes."""
    if len(row.raw) >= receipt.MOST or (results and row.name == _("即时应答")):
        return True
    names = ("", row.name) if not row.raw else ("",)
    return any(
        hashlib.sha256(name.encode() + (row.raw or row.name.encode())).hexdigest() == row.digest for name in names
    )


def _is_noted(session: Session, row: CustomsReceipt, results: list[Result]) -> bool:
    """Whether each note matches its result, and, once processed, each result of a known message has a note."""
    columns = (CustomsNote.place, CustomsNote.part, CustomsMessage.message_id)
    noted = select(*columns).join(CustomsNote.message).where(CustomsNote.receipt_id == row.id)
    places = set()
    for place, part, message_id in session.execute(noted):
        if (
            place is None
            or place >= len(results)
            or message_id != results[place].message_id
            or part not in (None, results[place].part)
        ):
            return False
        places.add(place)
    left = [result.message_id for place, result in enumerate(results) if place not in places]
    return row.read_at is None or not _any_known(session, left)


def _any_known(session: Session, message_ids: list[str]) -> bool:
    for first in range(0, len(message_ids), CHUNK):
        some = message_ids[first : first + CHUNK]
        if session.scalar(select(CustomsMessage.id).where(CustomsMessage.message_id.in_(some)).limit(1)) is not None:
            return True
    return False
