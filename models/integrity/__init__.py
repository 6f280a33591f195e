"""Consistency check of the database: compares records that an honest change would update together.

A seal in the trail is a plain hash, so a person who rewrites a record and every later seal is not detected; README
(«Trust») lists the other limits. Read-only, with few rows in memory at a time.
"""

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from models import deadlines, workflow
from models.application import Application, totals, trail
from models.application.attachments import Store
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.database import read_one_moment
from models.integrity import certificates, contents, exchange, numbers, receipts, scans, stored_files, values
from models.log import chain
from models.vocabulary import Action, Step


def contradictions(session: Session, store: Store) -> Iterator[str]:
    """Yield one sentence for each contradiction. Reads one snapshot, despite concurrent acts. Rolls back."""
    read_one_moment(session)
    yield from compare(session, store)
    session.rollback()


def compare(session: Session, store: Store) -> Iterator[str]:
    """As contradictions(), in the session's current transaction."""
    unreadable = list(values.unknown_words(session))
    if unreadable:  # the rest reads these rows
        yield from (*unreadable, _("其余内容尚未核对，请改正后再次运行。"))
        return
    yield from values.lost_references(session)
    yield from _broken_seals(session)
    yield from chain.contradictions(session)
    yield from _missing_entries(session)
    yield from _due_dates(session)
    for _id, number in totals.differing(session):
        yield _("申请 %(number)s 的进口数量合计与载体信息不符。", number=number)
    yield from contents.contradictions(session)
    yield from certificates.contradictions(session, store)
    yield from stored_files.contradictions(session, store)
    yield from scans.contradictions(session)
    yield from exchange.contradictions(session)
    yield from receipts.contradictions(session)
    yield from receipts.unrecorded_uses(session)
    yield from numbers.contradictions(session)


def not_covered(session: Session) -> dict[str, int]:
    """Label → number of applications and certificates older than the digests in the trail, if not 0."""
    covered = _has(Action.SUBMIT, TrailEntry.digest.is_not(None))
    counts = {
        _("申报内容"): select(func.count(Application.id)).where(_has(Action.SUBMIT), ~covered),
        _("证明"): select(func.count(TrailEntry.id)).where(
            TrailEntry.act == Action.GRANT.value, TrailEntry.digest.is_(None)
        ),
    }
    return {label: count for label, asked in counts.items() if (count := session.scalar(asked) or 0)}


def unproven_scans(session: Session) -> int:
    """How many attachments are marked as scanned at their upload, without an entry in the log that could confirm it."""
    return scans.unproven(session)


def _broken_seals(session: Session) -> Iterator[str]:
    for entry in trail.broken(session):
        number = entry.application.number if entry.application else _("（申请已不在）")
        where = _("第 %(id)s 条，申请单号 %(number)s", id=entry.id, number=number)
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
        (_("申请 %(number)s 有删除记录，但没有删除。"), Application.deleted_at.is_(None) & _has(Action.DELETE)),
        (_("申请 %(number)s 的数据状态与是否已签发证明不符。"), issued != certified),
        (_("申请 %(number)s 已签发证明，但没有准予备案记录。"), certified & ~_has(Action.GRANT)),
        (_("申请 %(number)s 有准予备案记录，但没有证明。"), _has(Action.GRANT) & ~certified),
    ):
        for number in session.scalars(select(Application.number).where(rows)):
            yield sentence % {"number": number}
    for number, message in session.execute(_messages_without_entry()):
        yield _("申请 %(number)s 的报文 %(message)s 没有对应的办理记录。", number=number, message=message)


def _due_dates(session: Session) -> Iterator[str]:
    """Applications whose due date, or whose number of submissions, does not follow from their trail."""
    for _id, number, stored, computed in deadlines.differing(session):
        yield _(
            "申请 %(number)s 的办结期限（%(stored)s）与按办理记录计算的（%(computed)s）不符。",
            number=number,
            stored=stored or _("无"),
            computed=computed or _("无"),
        )
    counted = _entries(Action.SUBMIT) - _entries(Action.WITHDRAW)
    for number in session.scalars(select(Application.number).where(Application.submissions != counted)):
        yield _("申请 %(number)s 的申报次数与办理记录不符。", number=number)


def _entries(act: Action) -> Any:
    """How often this act is in the trail of an application."""
    entries = select(func.count(TrailEntry.id)).where(TrailEntry.application_id == Application.id)
    return entries.where(TrailEntry.act == act.value).scalar_subquery()


def _has(act: Action | Step, *more: Any) -> Any:
    return exists().where(TrailEntry.application_id == Application.id, TrailEntry.act == act.value, *more)


def _messages_without_entry() -> Select[str, str]:
    entry = exists().where(
        TrailEntry.application_id == CustomsMessage.application_id, TrailEntry.act == CustomsMessage.act
    )
    return select(Application.number, CustomsMessage.message_id).join(CustomsMessage.application).where(~entry)
