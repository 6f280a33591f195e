"""办理过程 on the page of an application, and what follows from it: read once for a page."""

from typing import Any

from flask import request
from flask_login import current_user

from models import workflow
from models.application import Application, disclosure, trail
from models.application.disclosure import HistoryPage
from models.application.trail import TrailEntry
from models.database import db
from views.panel.display import once

LONGEST_ID = 18  # digits: always within 63 bits


def older_than(name: str) -> int | None:
    """The id in this parameter of the address, of an entry that the page begins after; None: with the newest one."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID else None


def history(row: Application) -> HistoryPage:
    """The newest entries, or for `?history=<id>` those before this one."""
    start = older_than("history")
    return once(("history", row.id), lambda: disclosure.page_of_history(db.session(), row, current_user, start))


def is_whole(row: Application) -> bool:
    """Whether history() has all entries that this reader may see."""
    return older_than("history") is None and not history(row).goes_on


def progress(row: Application) -> list[tuple[Any, str]]:
    """办理进度 as of workflow.progress(). Before what a reader may see, an application was 暂存 only."""
    if is_whole(row):
        passed = {status for entry in history(row).entries for status in (entry.before, entry.after) if status}
    else:
        passed = trail.passed(db.session(), row.id)
    return workflow.progress(row.status, passed)


def open_opinion(row: Application) -> TrailEntry | None:
    """The entry that led to the current status, if it has an opinion."""
    newest = history(row).entries if older_than("history") is None else []
    last = next((entry for entry in newest if entry.before not in (None, entry.after)), None)
    if last is None and not is_whole(row):
        return trail.open_opinions(db.session(), [row.id]).get(row.id)
    return last if last is not None and last.opinion else None
