"""Parts of a desk: figures with links to their lists, and short lists of rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import load_only

from models.application import Application
from models.database import db
from views.panel.display import once, tag

MOST = 1000  # a figure counts up to this, and is then shown as 1000+
ROWS = 5  # rows of a part
SHOWN = load_only(  # the columns that a desk shows, of more than fifty
    Application.number, Application.title, Application.status, Application.publisher_id, Application.publisher_name,
    Application.changed_at, Application.submitted_at, Application.submissions, Application.due_on,
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A number; `address`: the list of the rows it counts; `tone`: its colour unless it is 0."""

    label: Any
    count: int
    address: str
    tone: str = ""

    @property
    def shown(self) -> str:
        return f"{MOST}+" if self.count > MOST else str(self.count)


@dataclass(frozen=True)
class Line:
    """One row: link, tags, and further facts below it."""

    label: str
    address: str
    title: str
    tags: str = ""  # Markup
    facts: tuple[str, ...] = ()
    opinion: str = ""


@dataclass(frozen=True)
class Part:
    """Rows under a heading; `more`: the address of the whole list; `advice`: what the reader may do next."""

    title: Any
    lines: list[Line]
    more: str = ""
    empty: Any = ""
    advice: Any = ""


@dataclass(frozen=True)
class Desk:
    """`alerts`: (tone, sentence, address or "")."""

    figures: list[Figure] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    alerts: list[tuple[str, str, str]] = field(default_factory=list)
    begin: bool = False  # no application yet: the desk shows how to begin


@dataclass(frozen=True)
class Uncounted:
    """A figure before count_all(); `query`: selects the ids of its rows."""

    label: Any
    query: Select[Any]
    address: str
    tone: str = ""


def count_all(figures: Iterable[Uncounted]) -> list[Figure]:
    """Count all figures in one statement, each up to MOST + 1."""
    asked = list(figures)
    counts = [select(func.count()).select_from(one.query.limit(MOST + 1).subquery()) for one in asked]
    found = db.session.execute(select(*(count.scalar_subquery() for count in counts))).one()
    return [Figure(one.label, number, one.address, one.tone) for one, number in zip(asked, found, strict=True)]


def rows(query: Select[Any], most: int = ROWS) -> list[Application]:
    """The first `most` applications of a query, with the columns that a desk shows."""
    return list(db.session.scalars(query.limit(most).options(SHOWN)))


def rows_of_all(queries: Iterable[Select[Any]]) -> Select[Any]:
    """Selects the applications that any of these queries finds, with the columns that a desk shows."""
    ids = (query.with_only_columns(Application.id).subquery() for query in queries)
    found = union_all(*(select(each.c.id) for each in ids))
    return select(Application).where(Application.id.in_(found)).options(SHOWN)


def line(
    row: Application,
    screen: str,
    facts: tuple[str, ...] = (),
    tags: Markup | None = None,
    view: str = "details_view",
    opinion: str = "",
) -> Line:
    """The line of an application; its link opens `view` of `screen`."""
    page = once((screen, view), lambda: url_for(f"{screen}.{view}", url=url_for("desk.index")))
    address = f"{page}&id={row.id}"
    return Line(row.number, address, row.title or str(_("尚未填写商品名称")), tags or tag(row), facts, opinion)
