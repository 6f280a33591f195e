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
from models.vocabulary import Action, Role, Status
from views.panel import deadlines
from views.screens.desk.parts import ROWS, Desk, Line, Part, Uncounted, count_all, line, rows, rows_of_all

OLD = timedelta(days=30)  # since the last change of a draft
REMEDY = timedelta(days=60)  # for which a refusal stays on the desk: 行政复议法 第二十条
PRINTABLE = workflow.ACTS[Action.PRINT].when
Opinions = dict[int, TrailEntry]  # by application id, as of open_opinions()


def desk() -> Desk:
    """Applications on which the applicant has to act first, then those with the authority."""
    groups = {
        pgettext("status", "退回"): workflow.SENT_BACK,
        _("暂存"): workflow.PRIVATE,
        _("待审核"): workflow.AWAITING,
        _("可以打印"): PRINTABLE,
    }
    figures = count_all(figure for label, group in groups.items() for figure in _figures(label, sorted(group)))
    found = _newest()
    returned = [row.id for row in found if row.status in workflow.SENT_BACK | workflow.DENIED]
    answers = found, trail.open_opinions(db.session(), returned)
    parts = (_returned(*answers), *_refused(*answers), _old(found), _drafts(found), _waiting(found), _ready(found))
    return Desk(
        figures=figures,
        parts=[part for part in parts if part.lines],
        begin=not found and not rows(select(Application), 1),
    )


def _newest() -> list[Application]:
    """The newest ROWS of each part, of all parts by one statement, newest first."""
    now = clock.now()
    asked = [_of(status) for status in sorted(workflow.SENT_BACK | workflow.AWAITING | PRINTABLE)]
    asked += [_of(*sorted(workflow.DENIED)).where(Application.changed_at >= now - REMEDY)]
    for status in workflow.PRIVATE:
        asked += [_of(status).where(Application.changed_at >= now - OLD)]
        asked += [_of(status).where(Application.changed_at < now - OLD)]
    with_number = joinedload(Application.certificate).load_only(Certificate.number)
    newest = rows_of_all(query.limit(ROWS) for query in asked).options(with_number)
    return list(db.session.scalars(newest.order_by(Application.id.desc())))


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


def _returned(found: list[Application], opinions: Opinions) -> Part:
    (status,) = workflow.SENT_BACK
    lines = [_with_opinion(row, opinions.get(row.id), "edit_view") for row in found if row.status is status]
    return Part(_("退回，等您补正"), lines, _list(status), advice=workflow.advice(status, Role.PUBLISHER))


def _refused(found: list[Application], opinions: Opinions) -> list[Part]:
    """不予受理 and 不予备案 of late, while an administrative review can be applied for."""
    return [
        Part(
            status.label,
            [_with_opinion(row, opinions.get(row.id), "details_view") for row in found if row.status is status],
            advice=workflow.advice(status, Role.PUBLISHER),
        )
        for status in sorted(workflow.DENIED)
    ]


def _with_opinion(row: Application, entry: TrailEntry | None, view: str) -> Line:
    when = (f"{entry.at:%Y-%m-%d} {entry.after.label}",) if entry else ()
    opinion = (entry.opinion or "") if entry else ""
    return _line(row, when, view=view, opinion=opinion)


def _drafts(found: list[Application]) -> Part:
    (status,) = workflow.PRIVATE
    lines = [
        _line(row, (_("%(at)s 保存", at=f"{row.changed_at:%Y-%m-%d %H:%M}"),), view="edit_view")
        for row in found
        if row.status is status and not _is_old(row)
    ]
    return Part(_("暂存，尚未申报"), lines, _list(status))


def _old(found: list[Application]) -> Part:
    """Drafts that were not changed for OLD."""
    (status,) = workflow.PRIVATE
    lines = [
        _line(
            row,
            (_("已有 %(days)s 天没有改动，不再需要的可以删除。", days=(clock.now() - row.changed_at).days),),
            view="edit_view",
        )
        for row in found
        if row.status is status and _is_old(row)
    ]
    return Part(_("久未改动的暂存"), lines, _list(status))


def _is_old(draft: Application) -> bool:
    return clock.now() - draft.changed_at > OLD


def _waiting(found: list[Application]) -> Part:
    (status,) = workflow.AWAITING
    lines = []
    for row in (row for row in found if row.status is status):
        since = _("%(at)s 申报", at=f"{row.submitted_at:%Y-%m-%d}" if row.submitted_at else "")
        due = _("预计 %(due)s 前办结", due=row.due_on) if row.due_on else ""
        lines.append(_line(row, (since, due), deadlines.tag(row)))
    return Part(_("待审核"), lines, _list(status))


def _ready(found: list[Application]) -> Part:
    """The newest certificates; first those that were never printed."""
    ready = [row for row in found if row.status in PRINTABLE]
    printed = trail.applications_with(db.session(), Action.PRINT, [row.id for row in ready])
    ready.sort(key=lambda row: (row.id in printed, -row.id))
    lines = []
    for row in ready[:ROWS]:
        tone, words = ("light", _("已打印过")) if row.id in printed else ("success", _("尚未打印"))
        mark = Markup('<span class="badge badge-{}">{}</span>').format(tone, words)
        number = row.certificate.number if row.certificate else ""
        lines.append(_line(row, (_("证明编号 %(number)s", number=number),), mark))
    return Part(_("已签发，可以打印"), lines)
