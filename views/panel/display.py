"""How values and acts are shown: dates, numbers, codes, words, and the buttons of a row."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from flask import g
from markupsafe import Markup, escape

from models.application import Application
from models.columns import readable
from models.vocabulary import Status

NOTHING = Markup('<span class="nothing">--</span>')
T = TypeVar("T")


def once(key: object, make: Callable[[], T]) -> T:
    """What `make()` returns, made once a request for each key: what is the same in every row of a list."""
    made: dict[object, T] = g.setdefault("once", {})
    if key not in made:
        made[key] = make()
    return made[key]


def read_anew() -> None:
    """Forget what once() has made in this request: its rows may be others after a commit, or out of sight."""
    g.pop("once", None)


def shown_value(row: Any, name: str) -> Any:
    """A cell of a row as screens show it; `name` may be that of a property."""
    column = row.__table__.columns.get(name) if hasattr(row, "__table__") else None
    return on_screen(getattr(row, name), column)


def on_screen(value: Any, column: Any = None) -> Any:
    """A readable value with dates as 2026-11-23 10:00, numbers with thousands separated, «--» for nothing."""
    match value := readable(value, column):
        case None:
            return NOTHING
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case Decimal():
            return f"{value:,f}"
        case int():
            return f"{value:,}"
    return value


@dataclass(frozen=True)
class Button:
    """One act on one row: what its button says, asks, and where it posts; dim, with its sentence, when refused.

    `hidden`: the act will never be possible again, and only the bar above the list tells why.
    """

    name: str
    label: Any
    address: str
    ask: str = ""
    refusal: str | None = None
    opinion: bool = False
    remark: bool = False
    grounds: bool = False
    reason: bool = False
    hint: Any = ""  # in the empty field of the opinion
    opens: bool = False
    hidden: bool = False
    style: str = "light"


def button_html(act: Button, key: Any, style: str = "act") -> Markup:
    """A button that posts the page's one form (acts.html); a refused one stays, dim, and says why."""
    attributes = f'name="id" value="{escape(key)}" formaction="{escape(act.address)}" data-act="{act.name}"'
    if act.ask:
        attributes += f' data-ask="{escape(act.ask)}"'
    if act.opinion:
        attributes += f' data-opinion="{act.name}"'
    attributes += " data-remark" * act.remark
    if act.hint:
        attributes += f' data-hint="{escape(act.hint)}"'
    attributes += " data-reason" * act.reason + " data-grounds" * act.grounds + " hidden" * act.hidden
    attributes += ' formtarget="_blank"' * act.opens
    if act.refusal:
        attributes += f' aria-disabled="true" title="{escape(act.refusal)}"'
    return Markup(f'<button type="submit" form="act" class="{escape(style)}" {attributes}>{escape(act.label)}</button>')


def tag(row: Application) -> Markup:
    """数据状态 as a coloured tag; the word is always there."""
    return once(("tag", row.status), lambda: _tag(row.status))


def _tag(status: Status) -> Markup:
    return Markup('<span class="badge badge-{}">{}</span>').format(status.tone, status.label)
