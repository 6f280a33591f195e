"""The desk of a province: pending cases by due date, resubmissions, failed messages to customs, decisions."""

from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Select, select

from models import clock, workflow
from models.application import Application
from models.application.resubmission import outlines
from models.application.trail import TrailEntry, decided_in
from models.customs import CustomsMessage
from models.database import db, unindexed
from models.language import in_clauses
from models.vocabulary import Action, Delivery
from views.panel import deadlines, leases
from views.resources import pace
from views.screens.desk.parts import ROWS, Desk, Part, Uncounted, count_all, line, rows, rows_of_all

FIRST = 8  # rows of the part 先办


def desk() -> Desk:
    """Figures by urgency, then the reader's own cases, those due first, and resubmissions."""
    found, today = _urgent(), clock.today()
    deadlines.load_for(found)
    last = deadlines.calendar(today).last_known(today) or today
    estimated = _figure("", waiting().where(Application.due_on > last), "")
    *figures, beyond = count_all([*_by_deadline(), *_others(), estimated])
    return Desk(figures, [_mine(), _first(found), _again(found)], _alerts(beyond.count))


def waiting() -> Select[Application]:
    """The pending cases of the province."""
    return select(Application).where(Application.status.in_(workflow.AWAITING))


def _figure(label: Any, query: Select[Any], address: str, tone: str = "") -> Uncounted:
    return Uncounted(label, query.with_only_columns(Application.id), address, tone)


def _by_deadline() -> list[Uncounted]:
    tones = {"overdue": "danger", "today": "warning", "soon": "warning"}
    figures = [_figure(_l("待审核"), waiting(), url_for("review.index_view"))]
    for span, tone in tones.items():
        label, condition = deadlines.SPANS[span]
        figures.append(_figure(label, waiting().where(condition()), url_for("review.index_view", due=span), tone))
    return figures


def _others() -> list[Uncounted]:
    again = waiting().where(Application.submissions > 1)
    figures = [_figure(_l("退回后重新申报"), again, url_for("review.index_view", round="again"))]
    for label, group, tone in (
        (_l("退回，等待补正"), workflow.SENT_BACK, ""),
        (_l("海关接收失败"), workflow.ACTS[Action.RESEND].when, "danger"),
    ):
        (status,) = group
        query = select(Application).where(Application.status_order == status.order)
        figures.append(_figure(label, query, url_for("filings.index_view", status=status.value), tone))
    aside, silent = Delivery.SET_ASIDE, CustomsMessage.unanswered(pace().unanswered_since())
    for label, condition, state in (
        (_l("已搁置的报文"), CustomsMessage.state == aside, aside.value),
        (_l("久未回执的报文"), silent, "unanswered"),
    ):
        # Row security looks up the application of each message; `desk` is the leading column of the index.
        messages = select(CustomsMessage.id).where(CustomsMessage.desk == current_user.province, condition)
        figures.append(Uncounted(label, messages, url_for("exchange.index_view", state=state), "danger"))
    today = clock.today()
    decided = decided_in(today, today).with_only_columns(TrailEntry.id)
    figures.append(Uncounted(_l("今天办结"), decided, url_for("filings.index_view", decided=today.isoformat())))
    return figures


def tags(row: Application) -> Markup:
    """The tags for the time left and for 接办."""
    return deadlines.tag(row) + Markup(" ") + leases.badge(row)


def _mine() -> Part:
    """The cases that the reader has taken; the lease that ends first is on top."""
    own = [key for key, lease in leases.running().items() if leases.is_own(lease)]
    found = rows(waiting().where(Application.id.in_(own)), len(own)) if own else []
    found.sort(key=lambda row: leases.running()[row.id].until)
    lines = [line(row, "review", (row.publisher_name or "",), tags(row)) for row in found]
    return Part(_l("我在办的"), lines)


def _urgent() -> list[Application]:
    """The FIRST pending cases by due date and the first ROWS resubmissions, by one statement, in that order.

    Each from the beginning of an index of desk, status and due date; sorted outside it, so that SQLite reads no more.
    """
    due = waiting().order_by(Application.due_on, Application.id)
    asked = rows_of_all((due.limit(FIRST), due.where(Application.submissions > 1).limit(ROWS)))
    return list(db.session.scalars(asked.order_by(unindexed(Application.due_on), unindexed(Application.id))))


def _first(found: list[Application]) -> Part:
    """Pending cases by due date."""
    lines = []
    for row in found[:FIRST]:
        since = _("%(at)s 申报", at=f"{row.submitted_at:%Y-%m-%d}" if row.submitted_at else "")
        if days := deadlines.days_waited(row):
            since = in_clauses((since, _("已等候 %(days)s 天", days=days)))
        facts = (row.publisher_name or "", since, _("办结期限 %(due)s", due=row.due_on))
        lines.append(line(row, "review", facts, tags(row)))
    return Part(_l("先办"), lines, url_for("review.index_view"), _l("没有待审核的申请。"))


def _again(found: list[Application]) -> Part:
    """Resubmissions by due date, with what was changed since 退回."""
    found = [row for row in found if row.submissions > 1][:ROWS]
    changed = outlines(db.session(), [row.id for row in found])
    lines = []
    for row in found:
        facts = (changed.get(row.id, ""), row.publisher_name or "", _("第 %(n)s 次申报", n=row.submissions))
        lines.append(line(row, "review", facts, tags(row)))
    return Part(_l("退回后重新申报"), lines, url_for("review.index_view", round="again"))


def _alerts(beyond: int) -> list[tuple[str, str, str]]:
    """A warning while due dates (`beyond`: their number) are past the end of the calendar, and therefore estimates."""
    if not beyond:
        return []
    sentence = _("有申请的办结期限超出已登记的工作日历，暂按周一至周五推算；系统管理员登记下一年度放假安排后自动重算。")
    return [("warning", sentence, "")]
