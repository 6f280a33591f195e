"""Base class of all screens: the only code that overrides Flask-Admin's hooks for routes, labels, queries and pages."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import abort, g, redirect, request
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Text
from wtforms import Form

from models.database import db
from models.vocabulary import Word
from views.entrance.missing import Missing
from views.entrance.security import local
from views.panel import saved_queries
from views.panel.checks import HouseForm
from views.panel.display import Button, button_html, on_screen, once, shown_value
from views.panel.fields import CodeField, DayField, LongTextField, PlainTextField, WordField, number_of
from views.panel.page import Page
from views.panel.paging import PagedView
from views.panel.rows import address, rows
from views.panel.saving import errors_of


def has_malformed_number(name: str) -> bool:
    """Whether a row of the form has a malformed number: `carriers-²-id`, or one of more digits than any form has.

    Other names may end with the id of a row, of any length: `version-1000000`.
    """
    strange = not name.isascii() and any(sign.isdigit() and not sign.isascii() for sign in name)
    return strange or bool(re.match(r"(del-)?carriers-\d{7}", name))


def labels_of(*models: Any) -> dict[str, Any]:
    """Column or relation name → its label: {"title": 商品名称, …}."""
    attributes = [attribute for model in models for attribute in (*model.__mapper__.relationships, *_columns(model))]
    return {attribute.key: attribute.info["label"] for attribute in attributes if "label" in attribute.info}


def _columns(model: Any) -> Iterable[Any]:
    return model.__table__.columns


def form_args_of(model: Any, names: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(form_overrides, form_args) for these columns, derived from their type and `info`.

    `info` of a text: `read` normalizes it, `most` limits it if String(n) does not; of a day: `earliest` and `latest`.
    """
    overrides: dict[str, Any] = {}
    args: dict[str, Any] = {}
    for column in (model.__table__.columns[name] for name in names if name in model.__table__.columns):
        kind = column.type.python_type if not hasattr(column.type, "words") else Word
        if "codes" in column.info:
            overrides[column.key], args[column.key] = CodeField, {"codes": column.info["codes"]}
        elif kind is Word:
            overrides[column.key], args[column.key] = WordField, {"words": column.type.words}
        elif kind is date:
            overrides[column.key] = DayField
            args[column.key] = {name: column.info[name] for name in ("earliest", "latest") if name in column.info}
        elif kind is str:
            overrides[column.key] = LongTextField if isinstance(column.type, Text) else PlainTextField
            args[column.key] = {"most": column.info.get("most", column.type.length)}
            args[column.key] |= {name: column.info[name] for name in ("read",) if name in column.info}
    return overrides, args


class Screen(Page, PagedView):
    """A screen is class attributes and a few short hooks. Every route is closed unless an attribute opens it."""

    opens: frozenset[str] = frozenset()  # names of exposed methods that are allowed besides STOCK
    query_form: type[Form] | None = None
    export_name: Any = None  # name of the exported file and sheet; None: the name in the menu
    list_template, details_template = "panel/list.html", "panel/details.html"
    create_template = edit_template = "panel/form.html"
    form_base_class = HouseForm
    can_create = can_edit = can_delete = can_export = can_view_details = False
    acts: tuple[Any, ...] = ()  # acts in the list, also for ticked rows
    column_display_actions = False
    column_default_sort: Any = ("id", True)
    can_set_page_size, page_size, page_size_options = True, 20, (10, 20, 50, 100)
    column_type_formatters_detail = {
        kind: lambda _view, value, _name: on_screen(value)
        for kind in (type(None), bool, Word, datetime, date, int, Decimal)
    }
    # Flask-Admin's routes that stay closed: editing cells in the list, batch actions, and DELETE.
    ajax_update = action_view = delete_view = None
    STOCK = {
        "index_view": "can_list",
        "create_view": "can_create",
        "edit_view": "can_edit",
        "details_view": "can_view_details",
        "export": "can_export",
        "ajax_lookup": "form_ajax_refs",
    }
    can_list = True

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        """Called before every exposed method: 403 for other roles, then 404 unless an attribute opens the method."""
        super()._handle_view(name, **kwargs)
        if name not in self.opens and not getattr(self, self.STOCK.get(name, ""), False):
            abort(404)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Check the rows that the request names; call the view once (Flask-Admin would repeat it after a TypeError)."""
        if any(has_malformed_number(name) for name in request.form):
            abort(400)
        if fn.__name__ in ("edit_view", "details_view"):
            self.named_row(request.args.get("id"))
        if fn.__name__ == "export" and not self.can_read_query():
            return redirect(self.get_url(".index_view", **self.asked()))  # the list shows the errors of the fields
        return fn(self, *args, **kwargs)

    def render(self, template: str, **kwargs: Any) -> Any:
        """Add the context of every screen: query form, errors of the form, saved queries, functions that format."""
        if "num_pages" in kwargs:
            kwargs["page"] = g.page
        if "return_url" in kwargs:  # Flask-Admin accepts `http:/elsewhere` as local
            kwargs["return_url"] = local(kwargs["return_url"]) or self.get_url(".index_view")
        common: dict[str, Any] = {"reach": self.reach, "readable": on_screen, "shown": shown_value}
        if "errors" not in kwargs:
            common["errors"] = errors_of(kwargs["form"]) if "form" in kwargs else {}
        common |= {"button": button_html, "rows": rows}
        if template == self.list_template and self.query_form is not None:
            common |= {"query": self.query(), "saved": saved_queries.bar(self)}
        return super().render(template, **(common | kwargs))

    # Rows. Row security is in the database session (models.access).
    def get_one(self, key: Any) -> Any:
        """The row with this id, if the account sees it; else None. Cached in a GET, which calls it up to four times."""
        number = number_of(key)
        if number is None:
            return None
        if request.method == "GET":
            return once((self.endpoint, number), lambda: self._row(number))
        return self._row(number)

    def named_row(self, key: Any, words: str = "") -> Any:
        """The row with this id, which a request is about; raises Missing if the account sees none.

        `words`: what was not done, and what to do next; by default those of any act. A page that is opened, perhaps by
        going back, says the same of a deleted row, a foreign one and one that never was: none of them is disclosed.
        """
        if (row := self.get_one(key)) is not None:
            return row
        if not words and request.method == "GET":
            words = _("没有找到这项资料：可能已经删除，也可能不属于当前账号的范围。请返回列表查询。")
        words = words or _("没有找到这项资料，可能已由同事或在另一个窗口中删除，没有办理。请返回列表查询。")
        raise Missing(words, self.get_url(".index_view"))

    def _row(self, number: int) -> Any:
        return db.session.query(self.model).filter(self.model.id == number).one_or_none()

    # The query form 查询/重置, whose state is the address.
    def query(self) -> Any:
        """The query form filled from the address, built once per request; None for a screen without one."""
        if self.query_form is None or not hasattr(g, "query"):
            g.query = self.query_form(request.args) if self.query_form else None
        return g.query

    def can_read_query(self) -> bool:
        """Whether the query form is valid, or there is none."""
        form = self.query()
        return form is None or form.valid

    def asked(self) -> dict[str, str]:
        """The parameters of the query form in the address, unchanged."""
        return {field.name: request.args[field.name] for field in self.query() or () if field.name in request.args}

    def _get_list_extra_args(self) -> Any:
        """Drop unknown parameters, which Flask-Admin would pass to url_for, and clamp numbers."""
        args = super()._get_list_extra_args()
        known = {field.name for field in self.query() or ()}
        args.extra_args = {name: value for name, value in args.extra_args.items() if name in known}
        args.page_size = self.get_safe_page_size(args.page_size)
        jump = request.args.get("to", type=int)
        page = jump - 1 if jump is not None else args.page
        args.page = max(0, min(page or 0, self.reach // args.page_size - 1))
        args.sort = args.sort if args.sort is not None and 0 <= args.sort < len(self._list_columns) else None
        args.search, args.sort_desc = None, 1 if args.sort_desc else None
        return args

    def _get_list_url(self, view_args: Any) -> str:
        """The address of this list with other arguments; Flask's url_for, called 30 times a page, takes much longer."""
        given = {"page": view_args.page or None, "sort": view_args.sort, "desc": 1 if view_args.sort_desc else None}
        given |= view_args.extra_args | {"page_size": view_args.page_size}
        return f"{self.path('.index_view')}?{urlencode({k: v for k, v in given.items() if v is not None})}"

    def get_list_value(self, context: Any, model: Any, name: str) -> Any:
        """A cell of the list: by the formatter of its column, or by its type, which Flask-Admin searches for."""
        formatter = self.column_formatters.get(name)
        value = formatter(self, context, model, name) if formatter else getattr(model, name)
        return value if type(value) in (str, Markup) else on_screen(value)

    def get_sortable_columns(self) -> dict[str, Any]:
        """Column of the list → attribute that it is sorted by; Flask-Admin would use one name for both."""
        if self.column_sortable_list is None:
            return super().get_sortable_columns()
        self._sortable_joins: dict[str, Any] = {}
        pairs = ((each, each) if isinstance(each, str) else each for each in self.column_sortable_list)
        return {name: getattr(self.model, attribute) for name, attribute in pairs}

    # What a row offers
    def buttons(self, row: Any) -> list[Button]:
        """The buttons at the end of the row."""
        return []

    def alike(self, row: Any) -> Any:
        """What stands for each row with the same buttons but for its own values (RowTemplate); None: for none.

        Called for each row: overrides must not query per row, but read what was loaded once for the page.
        """
        return None

    def endpoint_of(self, row: Any) -> str:
        """The endpoint of the row's page."""
        return ".edit_view"

    def address_of(self, row: Any) -> str:
        """The address of the row's page, with the way back."""
        return address(self.path(self.endpoint_of(row)), row.id)

    def path(self, endpoint: str, **values: str) -> str:
        """An address, cached per request: building it for each row took half of a list's time."""
        return once((endpoint, *values.values()), lambda: str(self.get_url(endpoint, **values)))

    def opening(self, row: Any) -> str:
        """The text of the link to the row's page."""
        return _("编辑")

    def back(self) -> Any:
        """Redirect to the page that the form names, if it is local; else to the list."""
        return redirect(local(request.form.get("url")) or self.get_url(".index_view"), 303)

    def get_empty_list_message(self) -> str:
        return _("没有符合条件的数据，可以放宽查询条件或点击重置。") if request.args else _("暂无数据。")
