"""The desk of a press, or of a unit it entrusts."""

from datetime import timedelta

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, select

from models import clock, workflow
from models.application import Application
from models.application.trail import newest
from models.database import db
from models.vocabulary import Action, Status
from views.panel import deadlines
from views.screens.desk.parts import Desk, Figure, Line, Part, count, line, rows

OLD = timedelta(days=30)  # a draft that nobody has touched for so long


def desk() -> Desk:
    """What waits for oneself first, then what one waits for."""
    groups = {
        _("退回"): workflow.SENT_BACK,
        _("暂存"): workflow.PRIVATE,
        _("待审核"): workflow.AWAITING,
        _("可以打印"): workflow.ACTS[Action.PRINT].when,
    }
    figures = [figure for label, group in groups.items() for figure in _figures(label, sorted(group))]
    return Desk(
        figures=figures,
        parts=[part for part in (_returned(), _old(), _drafts(), _waiting(), _ready()) if part.lines],
        begin=not any(figure.count for figure in figures) and not rows(select(Application), 1),
    )


def _of(*statuses: Status) -> Select[Application]:
    """One's applications in one of these statuses, newest first. 数据状态 by its order: the index of the lists."""
    orders = [status.order for status in statuses]
    here = Application.status_order == orders[0] if len(orders) == 1 else Application.status_order.in_(orders)
    return select(Application).where(here).order_by(Application.id.desc())


def _figures(label: str, group: list[Status]) -> list[Figure]:
    """One figure a status, so that each has its list."""
    return [
        Figure(
            label if len(group) == 1 else f"{label} · {status.label}",
            count(_of(status).with_only_columns(Application.id)),
            _list(status),
            status.tone if status in workflow.SENT_BACK else "",
        )
        for status in group
    ]


def _list(status: Status) -> str:
    return url_for("applications.index_view", status=status.value)


def _returned() -> Part:
    (status,) = workflow.SENT_BACK
    found = rows(_of(status))
    lines = [_with_opinion(row) for row in found]
    return Part(_("退回，等您补正"), lines, _list(status))


def _with_opinion(row: Application) -> Line:
    entry = row.open_opinion
    when = (_("%(at)s 退回", at=f"{entry.at:%Y-%m-%d}"),) if entry else ()
    return line(row, "applications", when, view="edit_view", opinion=(entry.opinion or "") if entry else "")


def _drafts() -> Part:
    (status,) = workflow.PRIVATE
    fresh = _of(status).where(Application.changed_at >= clock.now() - OLD)
    lines = [
        line(row, "applications", (_("%(at)s 保存", at=f"{row.changed_at:%Y-%m-%d %H:%M}"),), view="edit_view")
        for row in rows(fresh)
    ]
    return Part(_("暂存，尚未申报"), lines, _list(status))


def _old() -> Part:
    """Drafts that nobody has touched for long, the newest of them first."""
    (status,) = workflow.PRIVATE
    lines = [
        line(
            row,
            "applications",
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
        lines.append(line(row, "applications", (since, due), deadlines.tag(row)))
    return Part(_("待审核"), lines, _list(status))


def _ready() -> Part:
    """The newest certificates, those in the lead that nobody has printed yet."""
    found = [row for status in sorted(workflow.ACTS[Action.PRINT].when) for row in rows(_of(status))]
    printed = {row.id: bool(newest(db.session(), row.id, Action.PRINT, 1)) for row in found}
    found.sort(key=lambda row: (printed[row.id], -row.id))
    lines = []
    for row in found[:5]:
        mark = Markup('<span class="badge badge-{}">{}</span>').format(
            "light" if printed[row.id] else "success", _("已打印过") if printed[row.id] else _("尚未打印")
        )
        number = row.certificate.number if row.certificate else ""
        lines.append(line(row, "applications", (_("证明编号 %(number)s", number=number),), mark))
    return Part(_("已签发，可以打印"), lines)
