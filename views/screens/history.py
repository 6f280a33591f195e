"""办理过程 on the page of an application, and what follows from it: read once for a page."""

from typing import Any

from flask import request
from flask_login import current_user

from models import workflow
from models.application import Application, disclosure, trail
from models.application.trail import TrailEntry
from models.database import db
from views.panel.display import once


def history(row: Application) -> list[TrailEntry]:
    """The newest entries, newest first: up to NEWEST + 1, or all for `?history=all`."""
    most = None if asks_for_all() else disclosure.NEWEST + 1
    return once(("history", row.id), lambda: disclosure.history(db.session(), row, current_user, most))


def asks_for_all() -> bool:
    return request.args.get("history") == "all"


def is_whole(row: Application) -> bool:
    """Whether history() has all entries that this reader may see."""
    return asks_for_all() or len(history(row)) <= disclosure.NEWEST


def progress(row: Application) -> list[tuple[Any, str]]:
    """办理进度 as of workflow.progress(). Before what a reader may see, an application was 暂存 only."""
    if is_whole(row):
        passed = {status for entry in history(row) for status in (entry.before, entry.after) if status}
    else:
        passed = trail.passed(db.session(), row.id)
    return workflow.progress(row.status, passed)


def open_opinion(row: Application) -> TrailEntry | None:
    """The entry that led to the current status, if it has an opinion."""
    last = next((entry for entry in history(row) if entry.before not in (None, entry.after)), None)
    if last is None and not is_whole(row):
        return trail.open_opinions(db.session(), [row.id]).get(row.id)
    return last if last is not None and last.opinion else None
