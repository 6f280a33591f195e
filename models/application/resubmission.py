"""The changes of the applicant since the last 退回, by field and row, and their outline for a list."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.orm import Session

from models.application import Application, trail
from models.application.attachments import Attachment
from models.application.changes import UNSHOWN, Row, absent, explain_changes
from models.application.trail import TrailEntry
from models.language import listed
from models.vocabulary import Action, AttachmentKind

MOST_NAMED = 6  # fields and kinds of attachments in an outline
MOST_OF_ENTRY = 100_000  # characters of the JSON of one entry that are read for an outline: more than all other fields
MOST_READ = 500_000  # of one application
MOST_SHOWN = 10_000_000  # on its page: five times 3,000 other carriers
CARRIERS = '"carriers": '  # as a key: within a value its quotes would be escaped


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
    later = (TrailEntry.application_id == application.id, TrailEntry.id > returned[0].id)
    size = select(func.sum(func.length(cast(TrailEntry.changes, Text)))).where(*later)
    if (session.scalar(size) or 0) > MOST_SHOWN:
        return Resubmission(returned[0], [_("改动很多，没有在这里列出，请查看办理过程。")])
    since = select(TrailEntry).where(*later)
    entries = [entry.changes for entry in session.scalars(since.order_by(TrailEntry.id)) if entry.changes]
    merged = merge_changes(entries)
    if merged is None:
        return Resubmission(returned[0], [line for changes in entries for line in explain_changes(changes, session)])
    lines = explain_changes(merged, session)
    for changes in entries:  # a kind may have several files: each change has its own line
        files = {name: pair for name, pair in changes.items() if name in set(AttachmentKind)}
        lines += explain_changes(files, session)
    return Resubmission(returned[0], lines)


def outlines(session: Session, keys: Collection[int]) -> dict[int, str]:
    """Application id → what was changed since its last 退回, in a few words; of those that were returned.

    Two statements for all of them.
    """
    if not keys:
        return {}
    found: dict[int, list[str]] = defaultdict(list)
    for key, changes in session.execute(_changes_since_return(keys)):
        found[key].append(changes)
    present: dict[int, set[tuple[str, str]]] = defaultdict(set)
    files = select(Attachment.application_id, Attachment.kind, Attachment.name).where(Attachment.removed_at.is_(None))
    for key, kind, name in session.execute(files.where(Attachment.application_id.in_(found))):
        present[key].add((str(kind), name))
    return {key: _outline_within(changes, present[key]) for key, changes in found.items()}


def _changes_since_return(keys: Collection[int]) -> Select[int, str]:
    """Application id and changes, as JSON, of each entry since its last 退回, oldest first.

    Of an entry at most MOST_OF_ENTRY characters are read: each save of thousands of carriers may have changed all of
    them. Of an application no further entry is read after MOST_READ.
    """
    returned = select(TrailEntry.application_id, func.max(TrailEntry.id).label("last")).where(
        TrailEntry.application_id.in_(keys), trail.of_act(Action.RETURN)
    )
    last = returned.group_by(TrailEntry.application_id).subquery()
    since = (TrailEntry.application_id == last.c.application_id) & (TrailEntry.id > last.c.last)
    changes = func.coalesce(func.substr(cast(TrailEntry.changes, Text), 1, MOST_OF_ENTRY), "null")
    read = func.sum(func.length(changes)).over(partition_by=TrailEntry.application_id, order_by=TrailEntry.id)
    columns = TrailEntry.application_id, TrailEntry.id, changes.label("changes"), read.label("read")
    entries = select(*columns).join(last, since).subquery()
    few = entries.c.read - func.length(entries.c.changes) <= MOST_READ
    return select(entries.c.application_id, entries.c.changes).where(few).order_by(entries.c.id)


def _outline_within(texts: list[str], present: set[tuple[str, str]]) -> str:
    """The outline of changes that _changes_since_return() has read; only a hint, if it could not read all of them."""
    entries = [_parsed(text) for text in texts]
    if None in entries or sum(map(len, texts)) > MOST_READ:
        return _("改动较多，请查看详情")
    return _outline([entry for entry in entries if entry is not None], present)


def _parsed(text: str) -> dict[str, Any] | None:
    """Changes from their JSON; where it was cut, null in place of the carriers, which stand after the other fields.

    None: it was cut before the carriers.
    """
    if len(text) < MOST_OF_ENTRY:
        return json.loads(text) or {}
    fields, carriers, _rows = text.partition(CARRIERS)
    return json.loads(f"{fields}{carriers}null}}") if carriers else None


def _outline(entries: list[dict[str, Any]], present: set[tuple[str, str]]) -> str:
    """The labels of the fields and attachments that differ, and the number of carriers that do."""
    with_ids = all(_has_ids(changes) for changes in entries)
    rows = len({row["id"] for side in _merged_rows(entries) for row in side}) if with_ids else 0
    merged = _merged(entries if with_ids else [changes | {"carriers": ((), ())} for changes in entries])
    shown = merged.keys() - {*UNSHOWN}
    labels = [str(column.info["label"]) for name, column in Application.__table__.columns.items() if name in shown]
    labels += [str(AttachmentKind(name).label) for name in _changed_kinds(entries, present)]
    named = labels[:MOST_NAMED]
    if rest := len(labels) - len(named):
        named.append(_("另 %(count)s 项", count=rest))
    if rows:
        named.append(_("载体 %(count)s 行", count=rows))
    if not with_ids and any("carriers" in changes for changes in entries):
        named.append(_("载体信息"))
    return _("改动：%(what)s", what=listed(named)) if named else _("没有改动")


def _changed_kinds(entries: list[dict[str, Any]], present: set[tuple[str, str]]) -> list[str]:
    """The kinds of attachments of which files were added or removed, without files that were added and removed again.

    `present`: kind and name of the files now. One of the same name may be the file that was added, or an older one
    that was removed in its place: then the kind counts as changed.
    """
    added: Counter[tuple[str, str]] = Counter()
    for kind, (old, new) in (pair for changes in entries for pair in changes.items() if pair[0] in set(AttachmentKind)):
        added[kind, old] -= 1
        added[kind, new] += 1
    changed = {kind for (kind, name), count in added.items() if name and (count or (kind, name) in present)}
    return [kind for kind in AttachmentKind if kind in changed]


def _has_ids(changes: dict[str, Any]) -> bool:
    """Whether the carriers were read, and have ids to pair them by; entries before 2026-11-25 have none."""
    carriers = changes.get("carriers", ())
    return carriers is not None and all("id" in row for rows in carriers for row in rows or ())


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
