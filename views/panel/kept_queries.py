"""常用查询 above a list: which of its parameters are kept, and the address that asks them again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from models import kept_queries
from models.database import db
from models.kept_queries import MOST_NAME, Asked, KeptQuery
from models.workflow import Refused
from views.panel.query_words import in_words

SORT, DESCENDING, SIZE = "sort", "desc", "page_size"  # of a list, as Flask-Admin calls them; sort: a column's name
MOST_FIELDS = 50  # of a query string that a page sends


@dataclass(frozen=True)
class Bar:
    """What stands above a list: the queries that are kept, which of them is asked now, and what there is to keep."""

    rows: list[KeptQuery]
    asked: Asked
    sent: str  # the query string of the page
    most: int = MOST_NAME


def bar(screen: Any) -> Bar:
    """For the page that is asked for."""
    here = known(screen, request.args)
    return Bar(kept_queries.listed(db.session(), screen.endpoint), here, urlencode(request.args))


def known(screen: Any, args: Mapping[str, str]) -> Asked:
    """The filled parameters that this screen knows: fields of its query form, order, page size; nothing else."""
    fields = [field.name for field in screen.query_form(MultiDict(args))]
    asked = {name: args[name] for name in fields if args.get(name)}
    columns = dict(enumerate(name for name, _label in screen._list_columns))
    if (column := columns.get(number(args.get(SORT)))) in screen._sortable_columns:
        asked |= {SORT: str(column)} | ({DESCENDING: "1"} if number(args.get(DESCENDING)) > 0 else {})
    if number(args.get(SIZE)) in screen.page_size_options:
        asked[SIZE] = str(number(args[SIZE]))
    return asked


def number(typed: str | None) -> int:
    """-1 for what is none."""
    return int(typed) if typed and typed.isascii() and typed.isdigit() and len(typed) < 5 else -1


def read(screen: Any, sent: str) -> tuple[Asked, str]:
    """(parameters, the same in words) of a query string that a page sent back. Raises Refused for an unreadable one."""
    try:
        args = MultiDict(parse_qsl(sent, max_num_fields=MOST_FIELDS))
    except ValueError:
        args = MultiDict()
    asked = known(screen, args)
    form = screen.query_form(MultiDict(asked))
    if not form.validate():
        raise Refused(_("查询条件有误，请按红字改正并点击查询后再保存。"))
    return asked, in_words_of_list(screen, form, asked)


def in_words_of_list(screen: Any, form: Any, asked: Asked) -> str:
    """数据状态：退回；排序：商品名称，降序；每页 50 条."""
    words = [in_words(form)] if form.filled() else []
    if SORT in asked:
        label = dict(screen._list_columns)[asked[SORT]]
        order = _("降序") if DESCENDING in asked else _("升序")
        words.append(_("排序：%(label)s，%(order)s", label=label, order=order))
    if SIZE in asked:
        words.append(_("每页 %(size)s 条", size=asked[SIZE]))
    return "；".join(words)


def address_of(screen: Any, asked: Asked) -> tuple[str, bool]:
    """(address of the list with what the screen still knows of these parameters, whether that is all of them)."""
    form, args = screen.query_form(MultiDict(asked)), dict[str, Any]()
    names = [name for name, _label in screen._list_columns]
    for name, value in asked.items():
        if name in form or (name == DESCENDING and SORT in args):
            args[name] = value
        elif name == SORT and value in screen._sortable_columns and value in names:
            args[SORT] = names.index(value)
        elif name == SIZE and number(value) in screen.page_size_options:
            args[SIZE] = value
    return screen.get_url(f"{screen.endpoint}.index_view", **args), args.keys() == asked.keys() and form.validate()
