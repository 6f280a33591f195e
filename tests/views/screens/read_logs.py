"""Entries of a log, from its export and from the database."""

import csv
import io

from flask import Flask
from sqlalchemy import select

from models import access
from models.log import LogEntry
from tests.browsing import Browser

Lines = list[dict[str, str]]


def lines(browser: Browser, log: str, asked: str = "") -> Lines:
    """The rows of an export, newest first."""
    answer = browser.get(f"/{log}/export/csv/?{asked}")
    assert answer.status_code == 200, answer.location
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def columns_of(rows: Lines, *names: str) -> list[tuple[str, ...]]:
    """These columns of each row."""
    return [tuple(row[name] for name in names) for row in rows]


def entries_of(app: Flask) -> list[tuple[str, str, str, int | None]]:
    """(kind, username, about, amount) of every entry, oldest first."""
    columns = (LogEntry.kind, LogEntry.username, LogEntry.about, LogEntry.amount)
    with app.app_context(), access.everything() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(LogEntry.id))]
