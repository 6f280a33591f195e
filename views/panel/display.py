"""How values and acts are shown: dates, numbers, codes, words, and the buttons of a row."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from models.application import Application
from models.codes import label_of
from models.vocabulary import Word

NOTHING = Markup('<span class="nothing">--</span>')


def shown_value(row: Any, name: str) -> Any:
    """A cell as people read it: word by label, code with name, «--» for nothing."""
    value = getattr(row, name)
    column = row.__table__.columns.get(name) if hasattr(row, "__table__") else None
    if column is not None and "codes" in column.info and value:
        return label_of(column.info["codes"], value)
    return readable(value)


def readable(value: Any) -> Any:
    """Dates as 2026-11-23 10:00, numbers with thousands separated, yes and no, «--» for nothing."""
    match value:
        case None | "":
            return NOTHING
        case bool():
            return _("是") if value else _("否")
        case Word():
            return value.label
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case int() | Decimal():
            return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return value


@dataclass(frozen=True)
class Button:
    """One act on one row: what its button says, asks, and where it posts; dim, with its sentence, when refused."""

    name: str
    label: Any
    address: str
    ask: str = ""
    refusal: str | None = None
    opinion: bool = False
    reason: bool = False
    opens: bool = False
    style: str = "light"


def tag(row: Application) -> Markup:
    """数据状态 as a coloured tag; the word is always there."""
    return Markup('<span class="badge badge-{}">{}</span>').format(row.status.tone, row.status.label)
