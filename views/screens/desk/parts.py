"""What a desk is made of: figures, each with the address of its list, and parts with a few rows."""

from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, func

from models.application import Application
from models.database import db
from views.panel.display import tag

MOST = 1000  # a figure counts so far, and says so
ROWS = 5  # of a part


@dataclass(frozen=True)
class Figure:
    """A number; `address`: the list of just what it counts. `tone`: its colour while it is not 0."""

    label: Any
    count: int
    address: str
    tone: str = ""

    @property
    def shown(self) -> str:
        return f"{MOST}+" if self.count > MOST else str(self.count)


@dataclass(frozen=True)
class Line:
    """One row: its link, its tags, and what is said of it below."""

    label: str
    address: str
    title: str
    tags: str = ""  # Markup
    facts: tuple[str, ...] = ()
    opinion: str = ""


@dataclass(frozen=True)
class Part:
    """Rows under a heading; `more`: the address of the whole list."""

    title: Any
    lines: list[Line]
    more: str = ""
    empty: Any = ""


@dataclass(frozen=True)
class Desk:
    """`alerts`: (tone, sentence, address or "")."""

    figures: list[Figure] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    alerts: list[tuple[str, str, str]] = field(default_factory=list)
    begin: bool = False  # the desk of somebody who has filed nothing yet: how to begin


def count(query: Select[Any]) -> int:
    """How many rows, up to one more than MOST."""
    found = query.limit(MOST + 1).subquery()
    return int(db.session.query(func.count()).select_from(found).scalar() or 0)


def rows(query: Select[Any], most: int = ROWS) -> list[Application]:
    """The first few applications of a query."""
    return list(db.session.scalars(query.limit(most)))


def line(
    row: Application,
    screen: str,
    facts: tuple[str, ...] = (),
    tags: Markup | None = None,
    view: str = "details_view",
    opinion: str = "",
) -> Line:
    """An application on a desk; it opens in this screen."""
    here = url_for("desk.index")
    address = url_for(f"{screen}.{view}", id=row.id, url=here)
    return Line(row.number, address, row.title or str(_("尚未填写商品名称")), tags or tag(row), facts, opinion)
