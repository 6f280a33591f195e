"""Consistency check of the register: trail, status, certificate, paper and numbers are compared with each other.

A seal in the trail is a plain hash that anybody can recompute, so it proves nothing by itself: these checks compare
records that would have to be changed together. An opinion rewritten together with every later seal is not found.
"""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, selectinload

from models import numbering, workflow
from models.application import Application, trail
from models.application.attachments import Store
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.certificate import Certificate, Paper
from models.columns import granted, shown
from models.customs import CustomsMessage
from models.numbering import Serial
from models.text import without_useless
from models.vocabulary import Action, Step

BATCH = 500  # rows in memory at a time


def contradictions(session: Session, store: Store) -> Iterator[str]:
    """Yield one sentence for each contradiction found; reads only."""
    yield from _broken_seals(session)
    yield from _missing_entries(session)
    yield from _certificates(session, store)
    yield from _number_gaps(session)


def _broken_seals(session: Session) -> Iterator[str]:
    for entry in trail.broken(session):
        where = _("第 %(id)s 条，申请单号 %(number)s", id=entry.id, number=entry.application.number)
        yield f"{where}，{entry.at:%Y-%m-%d %H:%M:%S}，{entry.actor_name}，{entry.act}"


def _missing_entries(session: Session) -> Iterator[str]:
    """Applications whose columns record an act for which the trail has no entry, or the other way round."""
    certified = exists().where(Certificate.application_id == Application.id)
    issued = Application.status.in_(workflow.ISSUED)
    submitted = Application.submitted_at.is_not(None) | Application.applied_on.is_not(None)
    past_draft = Application.status.not_in(workflow.PRIVATE)
    for sentence, rows in (
        (_("申请 %(number)s 没有完整的办理记录。"), ~_has(Step.START)),
        (_("申请 %(number)s 已申报，但没有申报记录。"), (submitted | past_draft) & ~_has(Action.SUBMIT)),
        (_("申请 %(number)s 有申报记录，但没有申报日期。"), _has(Action.SUBMIT) & Application.submitted_at.is_(None)),
        (_("申请 %(number)s 已删除，但没有删除记录。"), Application.deleted_at.is_not(None) & ~_has(Action.DELETE)),
        (_("申请 %(number)s 的数据状态与是否已签发证明不符。"), issued != certified),
        (_("申请 %(number)s 已签发证明，但没有准予备案记录。"), certified & ~_has(Action.GRANT)),
        (_("申请 %(number)s 有准予备案记录，但没有证明。"), _has(Action.GRANT) & ~certified),
    ):
        for number in session.scalars(select(Application.number).where(rows)):
            yield sentence % {"number": number}
    for number, message in session.execute(_messages_without_entry()):
        yield _("申请 %(number)s 的报文 %(message)s 没有对应的办理记录。", number=number, message=message)


def _has(act: Action | Step) -> Any:
    return exists().where(TrailEntry.application_id == Application.id, TrailEntry.act == act.value)


def _messages_without_entry() -> Select[str, str]:
    entry = exists().where(
        TrailEntry.application_id == CustomsMessage.application_id, TrailEntry.act == CustomsMessage.act
    )
    return select(Application.number, CustomsMessage.message_id).join(CustomsMessage.application).where(~entry)


def _certificates(session: Session, store: Store) -> Iterator[str]:
    loaded = selectinload(Certificate.application).selectinload(Application.carriers)
    query = select(Certificate).options(loaded, selectinload(Certificate.paper))
    for certificate in session.scalars(query.execution_options(yield_per=BATCH)):
        if hashlib.sha256(certificate.content.encode()).hexdigest() != certificate.digest:
            yield _("证明 %(number)s 的内容与摘要不符。", number=certificate.number)
        elif not _matches_application(certificate):
            yield _("证明 %(number)s 的内容与申请不符。", number=certificate.number)
        if certificate.paper is not None and not _is_stored(certificate.paper, store):
            yield _("证明 %(number)s 的文件缺失或与登记的摘要不符。", number=certificate.number)


def _matches_application(certificate: Certificate) -> bool:
    """Whether the application still equals the snapshot; of a listed code only the code is compared: names change."""
    application, snapshot = certificate.application, certificate.snapshot
    rows = snapshot["carriers"]
    if len(rows) != len(application.carriers) or not _equal(application, snapshot):
        return False
    return all(_equal(row, texts) for row, texts in zip(application.carriers, rows, strict=True))


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
        if _seen(value) != _seen(text):  # former certificates hold signs that nobody sees, as the application does
            return False
    return True


def _seen(value: Any) -> str:
    """What can be seen of a value."""
    return "" if value is None else without_useless(str(value)) or str(value)


def _is_stored(paper: Paper, store: Store) -> bool:
    """Whether the store holds the file of this paper, with the registered digest."""
    try:
        with store.open(paper.digest) as file:
            return hashlib.sha256(file.read()).hexdigest() == paper.digest
    except FileNotFoundError:
        return False


def _number_gaps(session: Session) -> Iterator[str]:
    """证明编号 are given without gaps within a series and year, so a missing one was removed."""
    for serial in session.scalars(select(Serial).where(Serial.series.startswith(numbering.certificate_series("")))):
        begins = f"{serial.series}{serial.year}"
        count = session.scalar(select(func.count(Certificate.id)).where(Certificate.number.startswith(begins)))
        if count != serial.last:
            missing = serial.last - (count or 0)
            yield _(
                "%(begins)s 的证明编号应有 %(last)s 个，相差 %(missing)s 个。",
                begins=begins,
                last=serial.last,
                missing=missing,
            )
