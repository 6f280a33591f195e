"""常用查询 above a list: the parameters that are saved, and the address that runs a saved query."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import request, session
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from models import saved_queries
from models.database import db
from models.language import in_chinese, in_clauses, is_english
from models.saved_queries import MOST_NAME, Asked, SavedQuery
from models.workflow import Refused
from views.panel.periods import name_of
from views.panel.query_words import in_words

SORT, DESCENDING, SIZE = "sort", "desc", "page_size"  # Flask-Admin's; in a saved query `sort` is a column's name
CACHED = 2000  # saved queries in words
MOST_FIELDS = 50  # parameters of a query string sent by a page
REFUSED, MOST_SHOWN = "refused_query", 100  # of the session cookie; characters of a refused name that it keeps


@dataclass(frozen=True)
class Bar:
    """The bar above a list: the saved queries, the parameters of the current page, and its query string."""

    rows: list[tuple[SavedQuery, str, bool]]  # (query, in words, whether the page shows it)
    asked: Asked
    sent: str  # the query string of the page
    name: str = ""  # as typed, if it was just refused
    why: str = ""  # why this name was refused; "": no name was, or the reason is flashed
    most: int = MOST_NAME


def remember_refusal(screen: Any, name: str, refused: Refused) -> bool:
    """Keep a typed name for the next page of the screen; whether that page shows the reason beside the field."""
    beside = refused.field == "name"
    session[REFUSED] = [screen.endpoint, name[:MOST_SHOWN], str(refused) if beside else ""]
    return beside


def bar(screen: Any) -> Bar:
    """The bar for the current request."""
    here, saved = known(screen, request.args, screen.query()), saved_queries.listed(db.session(), screen.endpoint)
    rows = [(row, words_of(screen, row), in_any_language(row.asked) == in_any_language(here)) for row in saved]
    of, name, why = session.pop(REFUSED, None) or ("", "", "")
    return Bar(rows, here, urlencode(request.args), *((name, why) if of == screen.endpoint else ()))


def in_any_language(asked: Asked) -> Asked:
    """Parameters to compare: 本月 and This month are the same."""
    return {name: name_of(value) or value for name, value in asked.items()}


def words_of(screen: Any, row: SavedQuery) -> str:
    """The query in words, with today's labels, in the language of the reader.

    As stored, in Chinese, if its list no longer exists; and in Chinese also if one of its conditions no longer does,
    because only the stored words can name that.
    """
    return _worded(screen, tuple(row.asked.items()), row.words, is_english()) if screen else row.words


@lru_cache(CACHED)
def _worded(screen: Any, items: tuple[tuple[str, str], ...], stored: str, english: bool) -> str:
    """Cached, because building the query form takes a millisecond, and a list shows up to 30 queries."""
    asked = dict(items)
    return in_words_of_list(screen, asked) if english or address_of(screen, asked)[1] else stored


def known(screen: Any, args: Mapping[str, str], form: Any = None) -> Asked:
    """The filled parameters that this screen supports: fields of its query form, order, page size.

    `form`: a query form of the screen, if one was built already.
    """
    fields = [field.name for field in form or screen.query_form()]
    asked = {name: args[name] for name in fields if args.get(name)}
    columns = dict(enumerate(name for name, _label in screen._list_columns))
    if (column := columns.get(number(args.get(SORT)))) in screen._sortable_columns:
        asked |= {SORT: str(column)} | ({DESCENDING: "1"} if number(args.get(DESCENDING)) > 0 else {})
    if number(args.get(SIZE)) in screen.page_size_options:
        asked[SIZE] = str(number(args[SIZE]))
    return asked


def number(typed: str | None) -> int:
    """The text as a number of up to 4 digits; -1 if it is none."""
    return int(typed) if typed and typed.isascii() and typed.isdigit() and len(typed) < 5 else -1


def read(screen: Any, sent: str) -> tuple[Asked, str]:
    """(parameters, their description in Chinese) of a query string sent by a page. Raises Refused."""
    try:
        args = MultiDict(parse_qsl(sent, max_num_fields=MOST_FIELDS))
    except ValueError:
        args = MultiDict()
    asked = known(screen, args)
    if not screen.query_form(MultiDict(asked)).validate():
        raise Refused(_("查询条件有误，请按红字改正并点击查询后再保存。"))
    with in_chinese():
        return asked, in_words_of_list(screen, asked)


def in_words_of_list(screen: Any, asked: Asked) -> str:
    """数据状态：退回；排序：商品名称，降序；每页 50 条."""
    form = screen.query_form(MultiDict(asked))
    words = [in_words(form)] if form.filled() else []
    label = dict(screen._list_columns).get(asked.get(SORT))
    if label is not None:
        order = _("降序") if DESCENDING in asked else _("升序")
        words.append(_("排序：%(label)s，%(order)s", label=label, order=order))
    if SIZE in asked:
        words.append(_("每页 %(size)s 条", size=asked[SIZE]))
    return in_clauses(words)


def address_of(screen: Any, asked: Asked) -> tuple[str, bool]:
    """(address of the list with the parameters that the screen still supports, whether these are all)."""
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
