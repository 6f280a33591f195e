"""办理时限 in words: working days left, stopped deadlines, and estimates after the end of the calendar."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from models import clock, deadlines, workflow
from models.application import Application
from models.database import db
from models.deadlines import calendar as tables
from models.deadlines.counting import NEAR, Calendar, Limits, left
from models.deadlines.provinces import limits_of
from views.panel.display import EMPTY, once


def calendar(since: date) -> Calendar:
    """The working days from this day on. Loaded once per request, and again only for a day of an earlier year."""
    year = since.replace(month=1, day=1)
    if "calendar" not in g or year < g.calendar[0]:
        g.calendar = year, tables.load(db.session(), year)
    known: Calendar = g.calendar[1]
    return known


def load_for(rows: Iterable[Application]) -> None:
    """Load the calendar once for all pending applications of a page: back to the earliest due date."""
    if due := [row.due_on for row in rows if row.status in workflow.AWAITING and row.due_on]:
        calendar(min(clock.today(), *due))


def soon() -> date:
    """The last due date that counts as near (NEAR working days from today), shown in amber."""
    today = clock.today()
    return calendar(today).after(today, NEAR)


# Value of the query field → label, and the condition on 办结期限.
SPANS: dict[str, tuple[Any, Callable[[], Any]]] = {
    "overdue": (_l("已超期"), lambda: Application.due_on < clock.today()),
    "today": (_l("今天到期"), lambda: Application.due_on == clock.today()),
    "soon": (
        _l("3 个工作日内到期"),
        lambda: Application.due_on.between(clock.today() + deadlines.counting.DAY, soon()),
    ),
    "later": (_l("3 个工作日后到期"), lambda: Application.due_on > soon()),
}


def days_waited(row: Application) -> int:
    """已等候: days since 申报 in Beijing time."""
    return (clock.today() - row.submitted_at.date()).days if row.submitted_at else 0


def words(due: date) -> str:
    """还剩 3 个工作日, 今天到期, 已超期 2 个工作日."""
    today = clock.today()
    days = left(calendar(min(today, due)), today, due)
    if days > 0:
        return _("还剩 %(days)s 个工作日", days=days)
    if due == today:
        return _("今天到期")
    return _("已超期 %(days)s 个工作日", days=-days) if days else _("已超期，不足 1 个工作日")


def tone(due: date) -> str:
    """The colour of the tag for this due date."""
    if due < clock.today():
        return "danger"
    return "warning" if due <= soon() else "light"


def tag(row: Application) -> Markup:
    """The time left for the decision as a tag; an estimate has a second tag 暂估."""
    if row.status in workflow.SENT_BACK:
        return Markup('<span class="badge badge-light">{}</span>').format(_("时限已停止"))
    if row.due_on is None:
        return EMPTY
    badge = Markup('<span class="badge badge-{}" title="{}">{}</span>').format(
        tone(row.due_on), row.due_on, words(row.due_on)
    )
    if is_known(row.due_on):
        return badge
    return badge + Markup(' <span class="badge badge-light" title="{}">{}</span>').format(
        estimated(row.due_on), _("暂估")
    )


def below_status(row: Application) -> Markup:
    """The time left for the decision in small type, for a list; nothing where none runs, nor will again."""
    if row.status in workflow.SENT_BACK:
        return once("stopped", lambda: _small("light", "", _("时限已停止")))
    if row.status not in workflow.AWAITING or row.due_on is None:
        return Markup()
    due = row.due_on
    return once(("below status", due), lambda: _below_status(due))


def _below_status(due: date) -> Markup:
    rest = words(due) if is_known(due) else _("%(left)s（暂估）", left=words(due))
    return _small(tone(due), str(due) if is_known(due) else f"{due} {estimated(due)}", rest)


def _small(tone: str, title: str, words: str) -> Markup:
    html = Markup('<small class="left left-{}" data-label="{}" title="{}">{}</small>')
    return html.format(tone, _("办结期限"), title, words)


def is_known(due: date) -> bool:
    """Whether the calendar of its year is entered; if not, a due date is only an estimate."""
    return calendar(min(clock.today(), due)).knows(due)


def estimated(due: date) -> str:
    """Why a due date is only an estimate."""
    sentence = _("%(year)s 年的放假安排尚未登记，暂按周一至周五推算，登记后自动重算。")
    return sentence % {"year": due.year}


def promise(limits: Limits) -> str:
    """The limits of a province as a sentence for its applicants."""
    return _(
        "受理审查 %(accept)s 个工作日，审核 %(decide)s 个工作日，必要时可以延长一次（%(extend)s 个工作日）；"
        "收到申报的当天不计，退回期间时限停止。",
        accept=limits.accept,
        decide=limits.decide,
        extend=limits.extend,
    )


def _stopped(used: int, rest: int) -> str:
    """A returned application's working days: used, and left or overdue."""
    if rest < 0:
        return _("已停止：已用 %(used)s 个工作日，已超期 %(days)s 个，重新申报后继续计算。", used=used, days=-rest)
    return _("已停止：已用 %(used)s 个工作日，还剩 %(rest)s 个，重新申报后继续计算。", used=used, rest=rest)


def facts(row: Application) -> list[tuple[str, Any]]:
    """(label, value) of the part 办理时限 on an application's page; empty once it is decided."""
    if row.status not in workflow.UNDECIDED or row.province is None:
        return []
    limits = limits_of(db.session(), row.province)
    rule = (_("本省时限"), promise(limits))
    if row.status in workflow.PRIVATE:
        return [rule]
    days = calendar(row.created_at.date())
    standing = deadlines.standing_of(db.session(), row, limits, days)
    if row.due_on is None or row.submitted_at is None:
        return [(_("办结期限"), _stopped(standing.used, standing.allowed - standing.used)), rule]
    extended = _("（已延期 %(days)s 个工作日）", days=limits.extend) if standing.extended else ""
    accept = days.after(row.submitted_at.date(), limits.accept)
    left_to_accept = f" {words(accept)}" if accept >= clock.today() else ""
    return [
        (_("受理审查期限"), f"{accept}{left_to_accept}"),
        (_("办结期限"), Markup("{} {} {}").format(row.due_on, tag(row), extended)),
        rule,
    ]
