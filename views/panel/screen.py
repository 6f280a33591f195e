"""The one class that knows Flask-Admin's hooks: role gate, closed routes, labels, query form, pager."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import abort, g, redirect, request
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Text
from wtforms import Form

from models.database import db
from models.vocabulary import Role, Word
from views.entrance.security import local
from views.panel import kept_queries
from views.panel.checks import HouseForm
from views.panel.display import Button, button_html, on_screen, once, shown_value
from views.panel.fields import CodeField, DayField, LongTextField, PlainTextField, WordField, number_of
from views.panel.paging import REACH, PagedView
from views.panel.rows import address, cells
from views.panel.saving import errors_of


def numbered_strangely(name: str) -> bool:
    """Whether a field's row number is malformed: `carriers-²-id`, or more digits than int() reads."""
    strange = not name.isascii() and any(sign.isdigit() and not sign.isascii() for sign in name)
    return strange or bool(re.search(r"\d{7}", name))


def labels_of(*models: Any) -> dict[str, Any]:
    """Labels beside columns and relations, read once: {"title": 商品名称, …}."""
    attributes = [attribute for model in models for attribute in (*model.__mapper__.relationships, *_columns(model))]
    return {attribute.key: attribute.info["label"] for attribute in attributes if "label" in attribute.info}


def _columns(model: Any) -> Iterable[Any]:
    return model.__table__.columns


def form_args_of(model: Any, names: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(form_overrides, form_args) for columns, from what each says of itself: codes, words, days, text.

    `info` of a text: `read`, how it is normalised, and `most` where String(n) does not say it; of a day: `earliest`
    and `latest`.
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


class Screen(PagedView):
    """A screen is class attributes and a few short hooks. Everything is shut unless a line opens it."""

    roles: frozenset[Role] = frozenset()
    opens: frozenset[str] = frozenset()  # names of own exposed methods beyond the stock ones below
    query_form: type[Form] | None = None
    export_name: Any = None  # of the exported file and its sheet; None: as the menu calls the screen
    list_template, details_template = "panel/list.html", "panel/details.html"
    create_template = edit_template = "panel/form.html"
    form_base_class = HouseForm
    can_create = can_edit = can_delete = can_export = can_view_details = False
    acts: tuple[Any, ...] = ()  # offered in the list, on ticked rows too
    column_display_actions = False
    column_default_sort: Any = ("id", True)
    can_set_page_size, page_size, page_size_options = True, 20, (10, 20, 50, 100)
    column_type_formatters = column_type_formatters_detail = {
        kind: lambda _view, value, _name: on_screen(value)
        for kind in (type(None), bool, Word, datetime, date, int, Decimal)
    }
    # Routes of Flask-Admin that stay shut: cells edited in the list, batch actions, and a delete that erases.
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

    def is_accessible(self) -> bool:
        return current_user.is_authenticated and current_user.role in self.roles

    def menu_entries(self) -> list[tuple[Any, str]]:
        """(label, address) of each line of this screen in the menu."""
        return [(self.name, f"{self.url}/")]

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        """The choke point before every exposed method: role first, then whether a line opens this one."""
        if not self.is_accessible():
            abort(403)
        if name not in self.opens and not getattr(self, self.STOCK.get(name, ""), False):
            abort(404)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Flask-Admin calls a view that raised TypeError a second time; one call is enough."""
        if any(numbered_strangely(name) for name in request.form):
            abort(400)
        if fn.__name__ in ("edit_view", "details_view") and not self.get_one(request.args.get("id")):
            abort(404)
        if fn.__name__ == "export" and not self.can_read_query():
            return redirect(self.get_url(".index_view", **self.asked()))  # whose fields say what is wrong
        return fn(self, *args, **kwargs)

    def render(self, template: str, **kwargs: Any) -> Any:
        if "num_pages" in kwargs:
            kwargs["page"] = g.page
        if "return_url" in kwargs:  # Flask-Admin takes `http:/elsewhere` for a local address
            kwargs["return_url"] = local(kwargs["return_url"]) or self.get_url(".index_view")
        common: dict[str, Any] = {"query": self.query(), "readable": on_screen, "shown": shown_value, "reach": REACH}
        common["errors"] = errors_of(kwargs["form"]) if "form" in kwargs else {}
        common |= {"button": button_html, "cells": cells}
        if template == self.list_template and self.query_form is not None:
            common["kept"] = kept_queries.bar(self)
        return super().render(template, **(common | kwargs))

    # Rows: three doors, one parser. The scope itself sits in the session (models.access).
    def get_one(self, key: Any) -> Any:
        """The row of this number, if it is seen; None otherwise. A page asks for its row up to four times."""
        number = number_of(key)
        if number is None:
            return None
        if request.method == "GET":
            return once((self.endpoint, number), lambda: self._row(number))
        return self._row(number)

    def _row(self, number: int) -> Any:
        return db.session.query(self.model).filter(self.model.id == number).one_or_none()

    # The query form 查询/重置, whose state is the address.
    def query(self) -> Any:
        """The form over the address, made once a request."""
        if self.query_form is None or not hasattr(g, "query"):
            g.query = self.query_form(request.args) if self.query_form else None
        return g.query

    def can_read_query(self) -> bool:
        """Whether every field of the query form can be read."""
        form = self.query()
        return form is None or form.validate()

    def asked(self) -> dict[str, str]:
        """What the address asks of the query form, as it was typed."""
        return {field.name: request.args[field.name] for field in self.query() or () if field.name in request.args}

    def _get_list_extra_args(self) -> Any:
        """Only names we know go back into addresses (others reach url_for), and only numbers that can be."""
        args = super()._get_list_extra_args()
        known = {field.name for field in self.query() or ()}
        args.extra_args = {name: value for name, value in args.extra_args.items() if name in known}
        args.page_size = self.get_safe_page_size(args.page_size)
        jump = request.args.get("to", type=int)
        page = jump - 1 if jump is not None else args.page
        args.page = min(max(page or 0, 0), REACH // args.page_size - 1)
        args.sort = args.sort if args.sort is not None and 0 <= args.sort < len(self._list_columns) else None
        args.search, args.sort_desc = None, 1 if args.sort_desc else None
        return args

    def get_sortable_columns(self) -> dict[str, Any]:
        """Column of the list → attribute that it is sorted by. Flask-Admin would name both after the attribute."""
        if self.column_sortable_list is None:
            return super().get_sortable_columns()
        self._sortable_joins: dict[str, Any] = {}
        pairs = ((each, each) if isinstance(each, str) else each for each in self.column_sortable_list)
        return {name: getattr(self.model, attribute) for name, attribute in pairs}

    # What a row offers
    def buttons(self, row: Any) -> list[Button]:
        """The acts at the end of the row."""
        return []

    def endpoint_of(self, row: Any) -> str:
        """How the row opens."""
        return ".edit_view"

    def address_of(self, row: Any) -> str:
        """Where the row opens, and the way back."""
        return address(self.path(self.endpoint_of(row)), row.id)

    def path(self, endpoint: str, **values: str) -> str:
        """An address built once a page, not once a row: half of a list's time went there."""
        return once((endpoint, *values.values()), lambda: str(self.get_url(endpoint, **values)))

    def opening(self, row: Any) -> str:
        """The word of the link that opens the row."""
        return _("编辑")

    def back(self) -> Any:
        """Where the person came from, if that is a local page."""
        return redirect(local(request.form.get("url")) or self.get_url(".index_view"), 303)

    def get_empty_list_message(self) -> str:
        return _("没有符合条件的数据，可以放宽查询条件或点击重置。") if request.args else _("暂无数据。")
