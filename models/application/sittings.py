"""办理过程 as people read it: the saves of one sitting as one entry, from the first old to the last new value.

The trail itself has an entry for each 保存, and must have it. Entries are sealed to the one before, and triggers
refuse to rewrite or remove one; programs read changes by their ids; after 申报 the digest of the newest entry has to be
that of the stored content. Entries that are held back until a sitting ends would leave a changed application without
its entry, which `trail verify` reports, and would be lost with the process. So they are joined when they are shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import object_session

from models.application.changes import Row, explain_changes
from models.application.resubmission import merge_changes
from models.application.trail import TrailEntry
from models.vocabulary import Action, Step

BREAK = timedelta(minutes=30)  # between two saves of a sitting, at most
OF_A_SITTING = frozenset({Action.EDIT, Step.ATTACH, Step.DETACH})  # acts that do not end a sitting
REORDERED: list[list[Row]] = [[], []]  # the carriers of an entry that changed only their order


@dataclass(frozen=True)
class ShownEntry:
    """`entry`: the newest of them; `saves`: how many there are; `lines`: their changes together, in words.

    No lines for several saves: their sitting ended where it began.
    """

    entry: TrailEntry
    saves: int
    lines: list[str]


def shown_entries(newest_first: Sequence[TrailEntry], most: int | None = None) -> list[ShownEntry]:
    """The newest `most` of these entries of one trail, newest first; None: all.

    Saves are not joined in a sitting that goes on below: its first values are not known.
    """
    whole = len(newest_first)
    if most is not None and most < whole:
        whole = most
        while whole and _same_sitting(newest_first[whole], newest_first[whole - 1]):
            whole -= 1
    joined = [shown for group in _grouped(newest_first[:whole]) for shown in _joined(group)]
    joined.sort(key=lambda shown: shown.entry.id, reverse=True)
    return joined + [_alone(entry) for entry in newest_first[whole:most]]


def _grouped(newest_first: Iterable[TrailEntry]) -> list[list[TrailEntry]]:
    """The saves of each sitting in one group; every other entry in one of its own."""
    groups: list[list[TrailEntry]] = []
    saves: list[TrailEntry] = []  # of the sitting that `later` belongs to
    later: TrailEntry | None = None
    for entry in newest_first:
        if later is None or not _same_sitting(entry, later):
            saves = []
        if entry.what is not Action.EDIT:
            groups.append([entry])
        elif saves:
            saves.append(entry)
        else:
            groups.append(saves := [entry])
        later = entry
    return groups


def _same_sitting(entry: TrailEntry, later: TrailEntry) -> bool:
    return (
        {entry.what, later.what} <= OF_A_SITTING
        and entry.actor_id == later.actor_id
        and entry.after is later.after
        and later.at - entry.at <= BREAK
    )


def _joined(group: list[TrailEntry]) -> list[ShownEntry]:
    """The group as one entry; single entries, if carriers cannot be paired."""
    changes = [entry.changes or {} for entry in reversed(group)]
    joined = None if any(each.get("carriers") == REORDERED for each in changes) else merge_changes(changes)
    if len(group) == 1 or joined is None:
        return [_alone(entry) for entry in group]
    return [ShownEntry(group[0], len(group), explain_changes(joined, object_session(group[0])))]


def _alone(entry: TrailEntry) -> ShownEntry:
    return ShownEntry(entry, 1, explain_changes(entry.changes or {}, object_session(entry)))
