"""Display of values (dates, numbers, codes, words) and of the buttons of a row."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from flask import g
from markupsafe import Markup, escape

from models.application import Application
from models.columns import readable
from models.database import db
from models.language import closed_up
from models.vocabulary import Status

EMPTY = Markup('<span class="none">--</span>')
T = TypeVar("T")


def once(key: object, make: Callable[[], T]) -> T:
    """The result of `make()`, cached per request and `key`, for values that are the same in every row of a list."""
    made: dict[object, T] = g.setdefault("once", {})
    if key not in made:
        made[key] = make()
    return made[key]


def clear_cache() -> None:
    """Clear the cache of once(): after a commit its rows may have changed, or may not be visible any more."""
    g.pop("once", None)


def shown_value(row: Any, name: str) -> Any:
    """An attribute of a row as screens show it; `name`: of a column or a property."""
    column = row.__table__.columns.get(name) if hasattr(row, "__table__") else None
    return on_screen(getattr(row, name), column)


def on_screen(value: Any, column: Any = None) -> Any:
    """A value for people: dates as 2026-11-23 10:00, numbers with thousands separators, «--» for None."""
    if type(value) is int and column is None:  # most cells of a table of figures
        return f"{value:,}"
    match value := readable(value, column, db.session()):
        case None:
            return EMPTY
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case Decimal():
            return f"{value:,f}"
        case int():
            return f"{value:,}"
    return value


@dataclass(frozen=True)
class Button:
    """The button of one act on one row. `ask`: question of the dialog; `refusal`: why it is disabled, or None.

    `hidden`: the act will never be possible for this row, so that only the bar above the list shows the reason.
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
    hint: Any = ""  # placeholder of the opinion
    opens: bool = False
    hidden: bool = False
    style: str = "light"


def button_html(act: Button, key: Any, style: str = "act") -> Markup:
    """A button that posts the page's one form (acts.html); a refused one is dimmed, with the reason as its tooltip."""
    attributes = f'name="id" value="{escape(key)}" formaction="{escape(act.address)}" data-act="{act.name}"'
    if act.ask:
        attributes += f' data-ask="{escape(closed_up(act.ask))}"'
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
    """数据状态 as a coloured tag with its label."""
    return once(("tag", row.status), lambda: _tag(row.status))


def _tag(status: Status) -> Markup:
    return Markup('<span class="badge badge-{}">{}</span>').format(status.tone, status.label)
