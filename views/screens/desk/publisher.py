"""The desk of a publisher, or of an entrusted unit."""

from datetime import timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import clock, workflow
from models.application import Application, trail
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.database import db
from models.vocabulary import Action, Status
from views.panel import deadlines
from views.screens.desk.parts import Desk, Line, Part, Uncounted, count_all, line, rows

OLD = timedelta(days=30)  # since the last change of a draft
REMEDY = timedelta(days=60)  # for which a refusal stays on the desk: 行政复议法 第二十条


def desk() -> Desk:
    """Applications on which the applicant has to act first, then those with the authority."""
    groups = {
        pgettext("status", "退回"): workflow.SENT_BACK,
        _("暂存"): workflow.PRIVATE,
        _("待审核"): workflow.AWAITING,
        _("可以打印"): workflow.ACTS[Action.PRINT].when,
    }
    figures = count_all(figure for label, group in groups.items() for figure in _figures(label, sorted(group)))
    return Desk(
        figures=figures,
        parts=[part for part in (_returned(), *_refused(), _old(), _drafts(), _waiting(), _ready()) if part.lines],
        begin=not any(figure.count for figure in figures) and not rows(select(Application), 1),
    )


def _of(*statuses: Status) -> Select[Application]:
    """One's applications in these statuses, newest first; by status_order, which the index of the lists holds."""
    orders = [status.order for status in statuses]
    here = Application.status_order == orders[0] if len(orders) == 1 else Application.status_order.in_(orders)
    return select(Application).where(here).order_by(Application.id.desc())


def _figures(label: str, group: list[Status]) -> list[Uncounted]:
    """One figure per status, so that each can link to its list."""
    return [
        Uncounted(
            label if len(group) == 1 else f"{label} · {status.label}",
            _of(status).with_only_columns(Application.id),
            _list(status),
            status.tone if status in workflow.SENT_BACK else "",
        )
        for status in group
    ]


def _list(status: Status) -> str:
    return url_for("applications.index_view", status=status.value)


def _line(row: Application, facts: tuple[str, ...], tags: Markup | None = None, **shown: Any) -> Line:
    """As line(); for an entrusted unit the first fact is the publisher for which it applies."""
    apart = row.publisher_id != current_user.organisation_id
    return line(row, "applications", (row.publisher_name or "" if apart else "", *facts), tags, **shown)


def _returned() -> Part:
    (status,) = workflow.SENT_BACK
    return Part(
        _("退回，等您补正"),
        _with_opinions(rows(_of(status)), "edit_view"),
        _list(status),
        advice=workflow.advice(status, own=True),
    )


def _refused() -> list[Part]:
    """不予受理 and 不予备案 of late, while an administrative review can be applied for."""
    found = rows(_of(*sorted(workflow.DENIED)).where(Application.changed_at >= clock.now() - REMEDY))
    groups = {status: [row for row in found if row.status is status] for status in sorted(workflow.DENIED)}
    return [
        Part(status.label, _with_opinions(group, "details_view"), advice=workflow.advice(status, own=True))
        for status, group in groups.items()
    ]


def _with_opinions(found: list[Application], view: str) -> list[Line]:
    opinions = trail.open_opinions(db.session(), [row.id for row in found])
    return [_with_opinion(row, opinions.get(row.id), view) for row in found]


def _with_opinion(row: Application, entry: TrailEntry | None, view: str) -> Line:
    when = (f"{entry.at:%Y-%m-%d} {entry.after.label}",) if entry else ()
    opinion = (entry.opinion or "") if entry else ""
    return _line(row, when, view=view, opinion=opinion)


def _drafts() -> Part:
    (status,) = workflow.PRIVATE
    recent = _of(status).where(Application.changed_at >= clock.now() - OLD)
    lines = [
        _line(row, (_("%(at)s 保存", at=f"{row.changed_at:%Y-%m-%d %H:%M}"),), view="edit_view") for row in rows(recent)
    ]
    return Part(_("暂存，尚未申报"), lines, _list(status))


def _old() -> Part:
    """Drafts that were not changed for OLD, the newest first."""
    (status,) = workflow.PRIVATE
    lines = [
        _line(
            row,
            (_("已有 %(days)s 天没有改动，不再需要的可以删除。", days=(clock.now() - row.changed_at).days),),
            view="edit_view",
        )
        for row in rows(_of(status).where(Application.changed_at < clock.now() - OLD))
    ]
    return Part(_("久未改动的暂存"), lines, _list(status))


def _waiting() -> Part:
    (status,) = workflow.AWAITING
    lines = []
    for row in rows(_of(status)):
        since = _("%(at)s 申报", at=f"{row.submitted_at:%Y-%m-%d}" if row.submitted_at else "")
        due = _("预计 %(due)s 前办结", due=row.due_on) if row.due_on else ""
        lines.append(_line(row, (since, due), deadlines.tag(row)))
    return Part(_("待审核"), lines, _list(status))


def _ready() -> Part:
    """The newest certificates; first those that were never printed."""
    with_number = joinedload(Application.certificate).load_only(Certificate.number)
    statuses = sorted(workflow.ACTS[Action.PRINT].when)
    found = [row for status in statuses for row in rows(_of(status).options(with_number))]
    printed = trail.applications_with(db.session(), Action.PRINT, [row.id for row in found])
    found.sort(key=lambda row: (row.id in printed, -row.id))
    lines = []
    for row in found[:5]:
        tone, words = ("light", _("已打印过")) if row.id in printed else ("success", _("尚未打印"))
        mark = Markup('<span class="badge badge-{}">{}</span>').format(tone, words)
        number = row.certificate.number if row.certificate else ""
        lines.append(_line(row, (_("证明编号 %(number)s", number=number),), mark))
    return Part(_("已签发，可以打印"), lines)
