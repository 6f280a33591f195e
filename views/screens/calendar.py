"""工作日历: the operator imports the yearly notice of 国务院办公厅 from a file, or enters a single day."""

from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup

from models import access, deadlines
from models.database import db
from models.deadlines import notice
from models.deadlines.calendar import CalendarDay
from models.language import listed
from models.log import Operation
from models.text import parse_day
from models.vocabulary import DayKind, Role
from models.workflow import Refused
from views.panel.display import Button
from views.panel.import_preview import ImportScreen
from views.panel.list_export import ListExport
from views.panel.logged import note
from views.panel.query import CalendarQuery
from views.panel.screen import form_args_of, labels_of

WRITTEN = ("day", "kind", "name")
OVERRIDES, ARGS = form_args_of(CalendarDay, WRITTEN)
WEEK = (_l("周一"), _l("周二"), _l("周三"), _l("周四"), _l("周五"), _l("周六"), _l("周日"))


def kind_tag(kind: DayKind) -> Markup:
    """The kind of a day as a tag: 放假 green, 上班 amber."""
    tone = "warning" if kind is DayKind.WORKING else "success"
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, kind.label)


class CalendarScreen(ListExport, ImportScreen):
    """The days that notices name. Due dates of all provinces are recomputed in the same transaction, without row
    security; the operator sees no application."""

    roles = frozenset({Role.OPERATOR})
    opens = ImportScreen.opens | {"remove"}
    can_create = True
    list_template, preview_template = "screens/calendar.html", "screens/calendar_preview.html"
    query_form = CalendarQuery
    column_list = ("day", "week", "kind", "name", "source", "acts")
    column_sortable_list = ("day",)
    column_default_sort = ("day", True)
    column_labels = labels_of(CalendarDay) | {"week": _l("星期"), "acts": _l("操作")}
    column_formatters: Any = {
        "week": lambda _view, _context, row, _name: WEEK[row.day.weekday()],
        "kind": lambda _view, _context, row, _name: kind_tag(row.kind),
    }
    exported: ClassVar[dict[str, Any]] = {"week": lambda row: WEEK[row.day.weekday()]}
    form_columns = WRITTEN
    form_overrides = OVERRIDES
    form_args = ARGS
    address_of: Any = None  # a day has no page: it is removed or entered again

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CalendarDay, db, **kwargs)

    def buttons(self, row: CalendarDay) -> list[Button]:
        ask = _(
            "确定要移除 %(day)s（%(name)s）吗？移除后该日按星期计算，办理时限自动重算。", day=row.day, name=row.name
        )
        return [Button("remove", _("移除"), self.path(".remove", day=str(row.day)), ask)]

    def save(self, form: Any, model: Any) -> int:
        """Enter one day and commit; returns the number of due dates that moved. Raises Refused."""
        missing = [field.label.text for field in form if field.name in WRITTEN and not field.data]
        if missing:
            raise Refused(_("请填写%(names)s。", names=listed(missing)))
        with access.everything() as session:
            moved = notice.set_day(session, form.day.data, form.kind.data, form.name.data, current_user.name)
            words = _l("%(kind)s，%(name)s", kind=form.kind.data.label, name=form.name.data)
            note(Operation.DAY_ENTERED, str(form.day.data), words, session=session)
            session.commit()
        return moved

    def after_saving(self, row: int, form: Any) -> Any:
        flash(_("已登记，重新计算了 %(count)s 份申请的办结期限。", count=row), "success")
        return redirect(self.get_url(".index_view"))

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """Remove one day, which is then an ordinary day of its week; commits."""
        row = self.named_row(request.form.get("id"))
        if request.args.get("day") != str(row.day):  # SQLite gives the id of a removed day to the next one
            flash(_("这一天刚刚已有变化，没有移除，请核对列表。"), "error")
            return self.back()
        with access.everything() as session:
            moved = notice.remove_day(session, session.get_one(CalendarDay, row.id))
            note(
                Operation.DAY_REMOVED,
                str(row.day),
                _l("%(kind)s，%(name)s", kind=row.kind.label, name=row.name),
                session=session,
            )
            session.commit()
        flash(_("已移除 %(day)s，重新计算了 %(count)s 份申请的办结期限。", day=row.day, count=moved), "success")
        return self.back()

    def read(self, rows: list[list[str]]) -> dict[str, Any]:
        found = notice.notice_of(rows)
        previewed = notice.fingerprint(db.session())
        change = notice.compare(db.session(), found.year, found.days)
        if not change.new and change.is_any:
            found.doubts.append(_("%(year)s 年的安排已经登记，导入后以本文件为准。", year=found.year))
        return {"year": found.year, "days": found.days, "notes": (), "doubts": found.doubts, "seen": previewed}

    def compared(self, sent: dict[str, Any]) -> notice.Change:
        return notice.compare(db.session(), sent["year"], sent["days"])

    def import_rows(self, sent: dict[str, Any]) -> str:
        with access.everything() as session:
            by = current_user.name
            _change, moved = notice.import_notice(session, sent["year"], sent["days"], sent["seen"], by)
            counts = {"year": sent["year"], "days": len(sent["days"]), "moved": moved}
            summary = _l("已导入 %(year)s 年的安排共 %(days)s 天，重新计算了 %(moved)s 份申请的办结期限。", **counts)
            note(Operation.CALENDAR_IMPORTED, str(sent["year"]), summary, len(sent["days"]), session)
            session.commit()
        return str(summary)

    def render(self, template: str, **kwargs: Any) -> Any:
        page: dict[str, Any] = {"kind_tag": kind_tag, "week": weekday, "DayKind": DayKind}
        if template == self.list_template:
            with access.everything() as session:
                page["horizon"] = deadlines.horizon(session)
        return super().render(template, **(page | kwargs))


def weekday(day: str) -> Any:
    """The day of the week: 周一 for 2026-01-05."""
    return WEEK[parse_day(day).weekday()]
