"""Changes since the last request of a program: each application once, in its current state, by its last change.

The cursor is the id of the last trail entry of an application: every change of these objects has an entry in the same
transaction, and ids only grow. An application that changes again moves to the end of the list, so that it is returned
again and never missed. Ids are assigned before their transactions commit: a page ends where no lower id can appear any
more (models/database/settled_keys.py). Timestamps would not do: clocks of several machines differ, and an act that
began early may commit late. Applications that become invisible to the account are not listed.

The cursor also names the seal of its entry, which is in the chain of all entries of the application. After a restore
from before it, by any tool, the entry is missing or is another one: the program's copy then holds what the register has
lost, and the answer is 410. An entry that is still there means that nothing of the copy was lost.
"""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from models import access
from models.application import Application
from models.application.trail import TrailEntry
from models.database import db
from models.database.settled_keys import settled_key
from views.api.applications import Listing
from views.api.parameters import NO_CHANGE
from views.entrance.problems import Problem

SEAL = 8  # hex digits of a seal in a cursor
PATIENCE = 2.0  # seconds that a page waits for transactions that are writing


def page(listing: Listing, cursor: str, limit: int) -> dict[str, Any]:
    """{"items", "next": `changed_since` of the next request, "more": whether there is more already}.

    Where a transaction takes longer than PATIENCE: no items, the same `next`, and `more`. Raises Problem (410) for a
    cursor whose entry is not in the trail.
    """
    since = position(cursor)
    last = settled_key(db.session(), TrailEntry, PATIENCE)
    if last is None:
        return {"items": [], "next": cursor, "more": True}
    changed = listing.rows().filter(Application.last_change > since, Application.last_change <= last)
    rows = changed.order_by(Application.last_change).limit(limit + 1).all()
    found = rows[:limit]
    return {
        "items": listing.items(found),
        "next": cursor_at(found[-1].last_change or 0) if found else cursor,
        "more": len(rows) > limit,
    }


def cursor_at(key: int) -> str:
    """The cursor after this entry of the trail: its id and the beginning of its seal."""
    return f"{key}-{_seal_of(key)}"


def position(cursor: str) -> int:
    """The id in a cursor. Raises Problem (410) unless its entry is in the trail; a former release wrote no seal."""
    key, _dash, seal = cursor.partition("-")
    if cursor != NO_CHANGE and (not seal or seal != _seal_of(int(key))):
        raise Problem(410, _("登记库已恢复到较早的状态，或游标来自旧版本，请清空副本，从 changed_since=0 重新读取。"))
    return int(key)


def _seal_of(key: int) -> str:
    """The beginning of the seal of this entry, "" without one; past row security: the account may not see it."""
    with access.everything() as everything:
        seal = everything.scalar(select(TrailEntry.seal).where(TrailEntry.id == key))
    return (seal or "")[:SEAL]
