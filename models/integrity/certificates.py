"""Compares certificate, snapshot, application, trail entry of 准予备案, and the paper in the store."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, and_, exists, select
from sqlalchemy.orm import Session, selectinload

from models import workflow
from models.application import Application
from models.application.attachments import Attachment, Store
from models.application.carriers import Carrier
from models.application.fingerprint import GroupedRows
from models.application.trail import TrailEntry
from models.certificate import Certificate, Paper
from models.certificate.embedded import embedded_digest
from models.columns import granted, shown
from models.text import without_useless
from models.vocabulary import Action

BATCH = 50  # certificates in memory at a time, each with a snapshot of up to 3,000 carriers
ROWS = 1000  # carriers in memory at a time: those of so many certificates would be 260 MB
MIDNIGHT = timedelta(minutes=1)  # a grant at midnight may be issued on one day and recorded on the next


def contradictions(session: Session, store: Store) -> Iterator[str]:
    """Yield a sentence for each certificate that contradicts something."""
    grant = and_(TrailEntry.application_id == Certificate.application_id, TrailEntry.act == Action.GRANT.value)
    query = select(Certificate, TrailEntry).outerjoin(TrailEntry, grant).order_by(Certificate.application_id)
    parts = (Certificate.application, Certificate.paper, Certificate.paper_task)
    query = query.options(*map(selectinload, parts))
    carriers, before = _carriers(session), None
    for certificate, entry in session.execute(query.execution_options(yield_per=BATCH)):
        if hashlib.sha256(certificate.content.encode()).hexdigest() != certificate.digest:
            yield _("证明 %(number)s 的内容与摘要不符。", number=certificate.number)
        elif before != certificate.id and not _matches_application(
            certificate, carriers.of(certificate.application_id)
        ):
            yield _("证明 %(number)s 的内容与申请不符。", number=certificate.number)
        before = certificate.id  # a second entry of 准予备案 would be another row
        if entry is not None and not _matches_entry(certificate, entry):
            yield _("证明 %(number)s 与准予备案的记录不符。", number=certificate.number)
        if certificate.paper is not None:
            yield from _paper(session, certificate, certificate.paper, store)
        elif certificate.paper_task is None and _had_paper(session, certificate, entry):
            yield _("证明 %(number)s 的文件没有登记，也不在待制作之列。", number=certificate.number)


def _carriers(session: Session) -> GroupedRows:
    """The carriers of every application with a certificate, by application."""
    rows = select(Carrier.application_id.label("key"), Carrier)
    rows = rows.join(Certificate, Certificate.application_id == Carrier.application_id)
    ordered = rows.order_by(Carrier.application_id, Carrier.position, Carrier.id)
    return GroupedRows(iter(session.execute(ordered.execution_options(yield_per=ROWS))))


def _matches_entry(certificate: Certificate, entry: TrailEntry) -> bool:
    """Whether the certificate matches its trail entry; of older ones, without a digest, only day and names."""
    if entry.digest is not None:
        return certificate.has_fingerprint(entry.digest)
    days = {(entry.at - MIDNIGHT).date(), (entry.at + MIDNIGHT).date()}
    issued = (certificate.authority, certificate.replaces_id)
    asked = (certificate.application.authority, certificate.application.replaces_id)
    return issued == asked and certificate.signer == entry.actor_name and certificate.issued_on in days


def _had_paper(session: Session, certificate: Certificate, entry: TrailEntry | None) -> bool:
    """Whether a paper or its task must exist: for older grants none was made before printing."""
    printed = (TrailEntry.application_id == certificate.application_id, TrailEntry.act == Action.PRINT.value)
    since = entry is not None and entry.digest is not None and certificate.application.status in workflow.VALID
    return since or bool(session.scalar(select(exists().where(*printed))))


def _matches_application(certificate: Certificate, carriers: Iterator[Row[Any]]) -> bool:
    """Whether the application with these carriers still equals the snapshot.

    Of a listed code only the code is compared: names change.
    """
    application = certificate.application
    try:
        snapshot = certificate.snapshot
        pairs = zip(carriers, snapshot["carriers"], strict=True)
        return _equal(application, snapshot) and all(_equal(row.Carrier, texts) for row, texts in pairs)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):  # not a snapshot of this product
        return False


def _equal(row: Application | Carrier, texts: dict[str, Any]) -> bool:
    """Whether the granted columns of `row`, as text, equal the snapshot's `texts`."""
    for name in granted(type(row)):
        value, text = shown(row, name), texts.get(name)
        if "codes" in row.__table__.columns[name].info and value is not None and text is not None:
            code = str(getattr(row, name))
            if text == code or text.startswith(f"{code}-"):  # a code can hold a dash itself: CD-ROM
                continue
        if isinstance(value, Decimal) and text is not None:  # the snapshot holds 12.50 as typed, the column reads 12.5
            value, text = str(value.normalize()), str(Decimal(text).normalize())
        if _visible(value) != _visible(text):  # old snapshots and applications contain invisible characters
            return False
    return True


def _visible(value: Any) -> str:
    """A value as text, without invisible characters."""
    return "" if value is None else without_useless(str(value)) or str(value)


def _paper(session: Session, certificate: Certificate, paper: Paper, store: Store) -> Iterator[str]:
    """Yield a sentence unless the stored bytes have the registered digest and this certificate's snapshot."""
    number = certificate.number
    try:
        with store.open(paper.digest) as file:
            embedded = embedded_digest(file)
    except (FileNotFoundError, ValueError):  # ValueError: the registered value is not a digest
        yield _("证明 %(number)s 的文件缺失或与登记的摘要不符。", number=number)
        return
    uploaded = session.scalar(select(exists().where(Attachment.digest == paper.digest)))
    if embedded != certificate.digest or uploaded or paper.application_id != certificate.application_id:
        yield _("证明 %(number)s 登记的文件不是这份证明的。", number=number)
