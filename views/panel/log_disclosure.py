"""打印与导出日志 shows a reader no number that the reader may not see on other screens (design 2.4, 2.6)."""

from collections.abc import Iterable
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application
from models.certificate import Certificate
from models.log import Handout, LogEntry

MOST_ASKED = 500  # numbers in one statement
OF_MANY = frozenset({  # about a list or a key, not about one application
    Handout.EXPORT, Handout.EXPORT_ENDED, Handout.EXPORT_BROKEN, Handout.FEED, Handout.CALENDAR, Handout.BLANK_FORM,
})  # fmt: skip


def visible(session: Session, numbers: Iterable[str]) -> set[str]:
    """Those of these numbers whose application or certificate is visible in this session."""
    found, asked = set[str](), sorted(set(numbers))
    for start in range(0, len(asked), MOST_ASKED):
        some = asked[start : start + MOST_ASKED]
        for column in (Application.number, Certificate.number):
            found |= set(session.scalars(select(column).where(column.in_(some))))
    return found


def note_visible(session: Session, rows: Iterable[Any]) -> None:
    """Set g.visible for all rows of a page, which about() and words() read."""
    g.visible = visible(session, (row.about for row in rows if row.what not in OF_MANY))


def about(row: LogEntry, reader_id: int) -> str:
    """The subject of the entry; "" for a number that the reader does not see, unless the entry is their own."""
    if row.log != "prints" or row.what in OF_MANY or row.account_id == reader_id or row.about in g.visible:
        return row.about
    return ""


def words(row: LogEntry, reader_id: int) -> str:
    """The details of the entry; "" for the query of another person's export."""
    if row.log != "prints" or row.account_id == reader_id:
        return row.words
    return row.words if row.what not in OF_MANY and row.about in g.visible else ""
