"""通知公告: the operator publishes, changes and withdraws announcements to the accounts of some roles."""

from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import select

from models import access, clock
from models.columns import labels_in_order
from models.database import db
from models.language import in_clauses
from models.notifications import announcements
from models.notifications.announcements import FIELDS, Announcement, AnnouncementChange
from models.notifications.reminders import announce
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance.place import place
from views.panel.display import Button
from views.panel.fields import VersionField
from views.panel.list_export import ListExport
from views.panel.repeated_saves import PageKey, key_sent
from views.panel.saving import commit_then_flash
from views.panel.screen import labels_of
from views.panel.ticks import TicksField
from views.screens.accounts import ACTS, OPERATOR, register_form

LABELS = labels_of(Announcement)
DONE = {"publish": _l("发布"), "change": _l("修改"), "withdraw": _l("撤回")}


def state(row: Announcement) -> tuple[str, str]:
    """(tone, label) of the state of an announcement today."""
    if row.withdrawn_at is not None:
        return "dark", _("已撤回")
    if row.is_current:
        return "success", _("显示中")
    return ("info", _("未开始")) if row.since > clock.today() else ("light", _("已结束"))


def tag(row: Announcement) -> Markup:
    """state() as a tag."""
    return Markup('<span class="badge badge-{}">{}</span>').format(*state(row))


class AnnouncementScreen(ListExport):
    """All announcements; none is ever deleted. Messages to their readers are written in the same transaction, which
    needs a session without row security."""

    roles = OPERATOR
    can_create = can_edit = True
    opens = frozenset({"withdraw"})
    edit_template = create_template = "screens/announcement.html"
    column_list = ("title", "roles", "since", "until", "state", "acts")
    column_sortable_list = ("since", "until")
    column_labels = LABELS | ACTS | {"state": _l("状态")}
    column_formatters: Any = {
        "roles": lambda _view, _context, row, _name: labels_in_order(Role, row.roles),
        "state": lambda _view, _context, row, _name: tag(row),
    }
    exported: ClassVar[dict[str, Any]] = {
        "roles": lambda row: labels_in_order(Role, row.roles),
        "state": lambda row: state(row)[1],
    }
    form_columns = ("version", "page_key", *FIELDS)
    form_overrides = register_form(Announcement, "title", "text", "since", "until")["overrides"]
    form_args = register_form(Announcement, "title", "text", "since", "until")["args"]
    form_args["text"]["render_kw"] = {"rows": 10}
    form_extra_fields = {
        "version": VersionField(),
        "page_key": PageKey(),
        "roles": TicksField(LABELS["roles"], words=Role, some=True),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Announcement, db, **kwargs)

    def create_form(self, obj: Any = None) -> Any:
        form = super().create_form(obj)
        if request.method == "GET":
            form.since.data = clock.today()
        return form

    def save(self, form: Any, model: Announcement | None) -> int:
        """Save the announcement, its trail and its messages, and commit; returns its id. Raises Refused."""
        values = {name: form[name].data for name in FIELDS} | {"roles": frozenset(form.roles.data)}
        with access.everything() as session:
            row = session.get_one(Announcement, model.id, with_for_update=True) if model else None
            if row is not None and row.version != form.version.expected:
                raise Refused(
                    _("公告刚刚已被他人修改，您的改动没有保存。下方是您填写的内容，请对照变更记录核对后再保存。")
                )
            announcement = announcements.save(session, row, values, current_user, place(), key_sent())
            announce(session, announcement.id)
            session.commit()
            return announcement.id

    def show_refusal_in_form(self, refused: Refused, form: Any, model: Any) -> tuple[int, dict[str, Any]]:
        if model is not None:
            form.version.data = model.version
        return super().show_refusal_in_form(refused, form, model)

    def buttons(self, row: Announcement) -> list[Button]:
        ask = _("确定要撤回公告「%(title)s」吗？撤回后不再显示，不能恢复。", title=row.title)
        withdrawn = _("这份公告已经撤回。") if row.withdrawn_at else None
        return [Button("withdraw", _("撤回"), self.path(".withdraw"), ask, withdrawn)]

    @expose("/withdraw/", methods=("POST",))
    def withdraw(self) -> Any:
        """撤回: readers do not see the announcement any more."""
        row = self.named_row(request.form.get("id"))

        def act() -> str:
            announcements.withdraw(db.session(), row, current_user, place())
            return _("已撤回，不再显示。")

        commit_then_flash(act)
        return self.back()

    def render(self, template: str, **kwargs: Any) -> Any:
        if (row := kwargs.get("model")) is not None:
            entries = select(AnnouncementChange).where(AnnouncementChange.announcement_id == row.id)
            changes = db.session.scalars(entries.order_by(AnnouncementChange.id.desc()).limit(50)).all()
            kwargs |= {"changes": changes, "shown_change": shown_change}
        return super().render(template, **kwargs)

    def after_saving(self, row: Any, form: Any) -> Any:
        flash(_("已保存。显示期间，所选角色的账号会收到消息，并在工作台看到公告。"), "success")
        return redirect(self.get_url(".index_view"))


def shown_change(entry: AnnouncementChange) -> str:
    """修改：标题：旧 → 新；终止日期：… → …"""
    parts = [
        _("%(label)s：%(before)s → %(after)s", label=LABELS[name], before=pair[0] or _("（无）"), after=pair[1])
        for name, pair in entry.changes.items()
        if entry.what == "change"
    ]
    done = DONE[entry.what]
    return _("%(label)s：%(sentence)s", label=done, sentence=in_clauses(parts)) if parts else str(done)
