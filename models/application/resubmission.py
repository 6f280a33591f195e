"""The changes of the applicant since the last 退回, by field and row."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application, trail
from models.application.changes import Row, absent, explain_changes
from models.application.trail import TrailEntry
from models.vocabulary import Action, AttachmentKind


@dataclass(frozen=True)
class Resubmission:
    """The last 退回, and what was changed after it, as lines."""

    returned: TrailEntry
    lines: list[str]


def resubmission(session: Session, application: Application) -> Resubmission | None:
    """The last 退回 and the changes after it; None for an application that was never returned."""
    returned = trail.newest(session, application.id, Action.RETURN, 1)
    if not returned:
        return None
    since = select(TrailEntry).where(TrailEntry.application_id == application.id, TrailEntry.id > returned[0].id)
    entries = [entry.changes for entry in session.scalars(since.order_by(TrailEntry.id)) if entry.changes]
    if not all(_has_ids(changes) for changes in entries):
        return Resubmission(returned[0], [line for changes in entries for line in explain_changes(changes, session)])
    lines = explain_changes(_merged(entries), session)
    for changes in entries:  # a kind may have several files: each change has its own line
        files = {name: pair for name, pair in changes.items() if name in set(AttachmentKind)}
        lines += explain_changes(files, session)
    return Resubmission(returned[0], lines)


def _has_ids(changes: dict[str, Any]) -> bool:
    """Whether the carriers have ids to pair them by; entries before 2026-11-25 have none."""
    return all("id" in row for rows in changes.get("carriers", ()) for row in rows or ())


def _merged(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Field → [first value, last value], without fields that have their first value again."""
    found: dict[str, list[Any]] = {}
    for changes in entries:
        for name, (old, new) in changes.items():
            if name not in set(AttachmentKind) and name != "carriers":
                found[name] = [found[name][0] if name in found else old, new]
    merged: dict[str, Any] = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    count = found.get("carrier_count")
    if count is not None and any(rows := _merged_rows(entries)):
        merged |= {"carriers": rows, "carrier_count": count}
    return merged


def _merged_rows(entries: list[dict[str, Any]]) -> list[list[Row]]:
    """[first content, last content] of the carriers that differ, paired by id."""
    before: dict[int, Row | None] = {}
    after: dict[int, Row | None] = {}
    for changes in entries:
        was, now = ({row["id"]: row for row in rows or ()} for rows in changes.get("carriers", ((), ())))
        for key in was | now:
            before.setdefault(key, was.get(key))
            after[key] = now.get(key)
    old, new = ([row for row in rows.values() if row is not None] for rows in (before, after))
    return [absent(old, new), absent(new, old)]


def merged(entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """As _merged(), for the changes of several edits, oldest first; None if their carriers cannot be paired."""
    return _merged(entries) if all(_has_ids(changes) for changes in entries) else None
