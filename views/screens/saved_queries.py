"""常用查询: saved queries of an account: saved from a list, opened, renamed and deleted."""

from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup
from wtforms.validators import DataRequired

from models import saved_queries
from models.database import db
from models.language import in_chinese
from models.saved_queries import MOST, MOST_NAME, SavedQuery
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance.missing import Missing
from views.panel.checks import REQUIRED
from views.panel.display import Button
from views.panel.fields import PlainTextField, VersionField
from views.panel.list_export import ListExport
from views.panel.saved_queries import address_of, read, remember_refusal, words_of
from views.panel.saving import commit_or_refuse
from views.panel.screen import labels_of
from views.panel.spreadsheet import Column

LABELS = labels_of(SavedQuery)


class SavedQueryScreen(ListExport):
    """One line per saved query; row security hides those of other accounts."""

    roles = frozenset(Role)
    opens = frozenset({"save_query", "ask", "remove"})
    can_edit = True
    can_set_page_size, page_size = False, MOST
    page_size_options: Any = (MOST,)
    list_template, edit_template = "screens/saved_queries.html", "screens/saved_query.html"
    column_list = ("name", "screen", "words", "acts")
    column_sortable_list = ()
    column_default_sort = ("id", False)
    column_labels = LABELS | {"acts": _l("操作")}
    form_columns = ("name", "seen")
    form_extra_fields = {
        "name": PlainTextField(LABELS["name"], [DataRequired(REQUIRED)], most=MOST_NAME),
        "seen": VersionField(),  # the mark of the query
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(SavedQuery, db, **kwargs)
        self.column_formatters = {
            "name": lambda _view, _context, row, _name: Markup('<a href="{}">{}</a>').format(
                self.get_url(".ask", id=row.id), row.name
            ),
            "screen": lambda _view, _context, row, _name: (found := self.list_of(row.screen)) and found.name,
            "words": lambda _view, _context, row, _name: self.words_of(row),
        }

    def menu_entries(self) -> list[tuple[Any, str]]:
        """No line in the menu; the lists link here."""
        return []

    def columns(self) -> list[Column]:
        """所在列表 and 查询条件 as on the screen; read here, because they depend on the account."""
        names = {view.endpoint: str(view.name) for view in self.admin._views if self.list_of(view.endpoint)}
        with in_chinese():
            words = {row.id: self.words_of(row) for row in self.get_query()}  # at most saved_queries.MOST
        own: dict[str, Any] = {"screen": lambda row: names.get(row.screen), "words": lambda row: words.get(row.id)}
        return [
            replace(column, value=own.get(name, column.value))
            for name, column in zip(self.column_list, super().columns(), strict=False)
        ]

    def list_of(self, endpoint: str) -> Any:
        """The screen with this endpoint, if it has a query form and the account may open it; else None."""
        for view in self.admin._views:
            if view.endpoint == endpoint and getattr(view, "query_form", None) and view.is_accessible():
                return view
        return None

    def words_of(self, row: SavedQuery) -> str:
        return words_of(self.list_of(row.screen), row)

    @expose("/keep/", methods=("POST",))
    def save_query(self) -> Any:
        """Save the query of a list's page under a name, commit, and return to that page, with a refused name in it."""
        screen, name = self.list_of(request.form.get("screen", "")) or abort(400), request.form.get("name", "")
        try:
            with commit_or_refuse():
                asked, words = read(screen, request.form.get("asked", ""))
                row = saved_queries.save(db.session(), screen.endpoint, name, asked, words, current_user)
                saved = _("已存为常用查询「%(name)s」。", name=row.name)
            flash(saved, "success")
        except Refused as refused:
            if "url" not in request.form or not remember_refusal(screen, name, refused):
                flash(str(refused), "error")
        return self.back()

    @expose("/ask/")
    def ask(self) -> Any:
        """Redirect to the list with this query; parameters that it no longer supports are dropped with a notice."""
        row = self.named_row(request.args.get("id"))
        screen = self.list_of(row.screen)
        if screen is None:
            flash(_("常用查询「%(name)s」所在的列表已不再提供，可以将其删除。", name=row.name), "message")
            return redirect(self.get_url(".index_view"))
        where, whole = address_of(screen, row.asked)
        if not whole:
            notice = _("常用查询「%(name)s」保存的条件（%(words)s）有的已不再提供，请核对下面的条件。")
            flash(notice % {"name": row.name, "words": self.words_of(row)}, "message")
        return redirect(where)

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """Delete a query and commit; no error if it is deleted already."""
        try:
            if row := self.get_one(request.form.get("id")):
                with commit_or_refuse():
                    saved_queries.remove(db.session(), row, request.args.get("mark", ""))
            flash(_("已删除。"), "success")
        except Refused as refused:
            flash(str(refused), "error")
        return self.back()

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if request.method == "GET":
            form.seen.data = obj.mark
        return form

    def save(self, form: Any, model: SavedQuery) -> SavedQuery:
        try:
            saved_queries.rename(db.session(), model, form.name.data, form.seen.data or "", current_user)
        except saved_queries.Gone as gone:  # no row to show the form of
            raise Missing(str(gone), self.get_url(".index_view")) from None
        return model

    def buttons(self, row: SavedQuery) -> list[Button]:
        ask = _("确定要删除常用查询「%(name)s」吗？", name=row.name)
        return [Button("remove", _("删除"), self.path(".remove", mark=row.mark), ask)]

    def opening(self, row: SavedQuery) -> str:
        return _("改名")

    def get_empty_list_message(self) -> str:
        return _("还没有常用查询。在列表中查询后，点击“存为常用查询”即可保存。")
