"""打印与导出日志 tells a reader of no more than the reader may see elsewhere (design 2.4, 2.6)."""

from collections.abc import Iterable
from typing import Any

from flask import g
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application
from models.certificate import Certificate
from models.log import Handout, LogEntry

MOST_ASKED = 500  # numbers in one statement


def visible(session: Session, numbers: Iterable[str]) -> set[str]:
    """Those of these numbers whose application, or certificate, this session sees."""
    found, asked = set[str](), sorted(set(numbers))
    for start in range(0, len(asked), MOST_ASKED):
        some = asked[start : start + MOST_ASKED]
        for column in (Application.number, Certificate.number):
            found |= set(session.scalars(select(column).where(column.in_(some))))
    return found


def note_visible(session: Session, rows: Iterable[Any]) -> None:
    """Find out once for all rows of a page what about() and words() ask."""
    g.visible = visible(session, (row.about for row in rows if row.what is not Handout.EXPORT))


def about(row: LogEntry) -> str:
    """The number of what the reader sees, or has opened; the list of an export is told to everybody."""
    if row.log != "prints" or row.what is Handout.EXPORT or _is_own(row) or row.about in g.visible:
        return row.about
    return ""


def words(row: LogEntry) -> str:
    """What somebody asked for in an export is that person's alone."""
    if row.log != "prints" or _is_own(row):
        return row.words
    return row.words if row.what is not Handout.EXPORT and row.about in g.visible else ""


def _is_own(row: LogEntry) -> bool:
    return bool(row.account_id == current_user.id)
