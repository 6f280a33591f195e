"""The changes of the applicant since the last 退回, by field and row, and their outline for a list."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.application import Application, trail
from models.application.changes import Row, absent, explain_changes
from models.application.trail import TrailEntry
from models.language import listed
from models.vocabulary import Action, AttachmentKind

MOST_NAMED = 6  # fields and kinds of attachments in an outline


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


def outlines(session: Session, keys: Collection[int]) -> dict[int, str]:
    """Application id → what was changed since its last 退回, in a few words; of those that were returned.

    One statement for all of them.
    """
    returned = select(TrailEntry.application_id, func.max(TrailEntry.id).label("last")).where(
        TrailEntry.application_id.in_(keys), trail.of_act(Action.RETURN)
    )
    last = returned.group_by(TrailEntry.application_id).subquery()
    since = select(TrailEntry.application_id, TrailEntry.changes).join(
        last, (TrailEntry.application_id == last.c.application_id) & (TrailEntry.id > last.c.last)
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for key, changes in session.execute(since.order_by(TrailEntry.id)) if keys else ():
        found[key] += [changes] if changes else []
    return {key: _outline(entries) for key, entries in found.items()}


def _outline(entries: list[dict[str, Any]]) -> str:
    """The labels of the fields and attachments that differ, and the number of carriers that do."""
    with_ids = all(_has_ids(changes) for changes in entries)
    rows = len({row["id"] for side in _merged_rows(entries) for row in side}) if with_ids else 0
    merged = _merged(entries if with_ids else [changes | {"carriers": ((), ())} for changes in entries])
    kinds = dict.fromkeys(name for changes in entries for name in changes if name in set(AttachmentKind))
    columns = Application.__table__.columns
    labels = [str(columns[name].info["label"]) for name in merged if name in columns]
    labels += [str(AttachmentKind(name).label) for name in kinds]
    named = labels[:MOST_NAMED]
    if rest := len(labels) - len(named):
        named.append(_("另 %(count)s 项", count=rest))
    if rows:
        named.append(_("载体 %(count)s 行", count=rows))
    if not with_ids and any("carriers" in changes for changes in entries):
        named.append(_("载体信息"))
    return _("改动：%(what)s", what=listed(named)) if named else _("没有改动")


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


def merge_changes(entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The changes of several edits, oldest first, as one: field → [first, last value]. None: carriers without ids."""
    return _merged(entries) if all(_has_ids(changes) for changes in entries) else None
