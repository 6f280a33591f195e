"""Who may read which part of an application.

Its owner alone reads what happened before the first 申报; the authorities alone read which reviewer had taken the case.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.attributes import set_committed_value

from models import workflow
from models.application import Application
from models.application.attachments import Attachment
from models.application.trail import TrailEntry
from models.people.accounts import Account
from models.vocabulary import Action, Role, Step, Word

NEWEST = 50  # entries of a history that a page shows at a time
MOST_ROWS = 20_000  # changed carriers, before and after, in the entries of a page: three saves of 3,000 other ones
BATCH = 5  # entries whose changes are parsed at once
# Acts that the nation reads in 办理日志: those of the provinces and of customs, and 申报.
NATIONAL_ACTS: tuple[Word, ...] = (
    *(each for each in Action if each not in (Action.EDIT, Action.DELETE, Action.COPY, Action.DUPLICATE)),
    *(each for each in Step if each not in (Step.START, Step.ATTACH, Step.DETACH)),
)
PRIVATE_ACTS = [each.value for words in (Action, Step) for each in words if each not in NATIONAL_ACTS]


def history(session: Session, application: Application, reader: Account) -> Iterator[tuple[TrailEntry, bool]]:
    """办理过程 as this reader may see it, newest first: (entry, whether its changes are read or none).

    Read in small batches: one entry can have 3,000 carriers. Once the entries have MOST_ROWS, the changes of older ones
    are not read: the costs do not grow with the number of saves.
    """
    wanted, rows, last = _entries(application, reader), 0, None
    with session.scalars(wanted.execution_options(yield_per=BATCH)) as found:
        for last in found:
            yield last, True
            rows += _changed_rows(last)
            if rows > MOST_ROWS:
                break
        else:
            return
    older = wanted.where(TrailEntry.id < last.id).options(defer(TrailEntry.changes, raiseload=True))
    has_changes = func.length(cast(TrailEntry.changes, Text)) > len("null")
    for entry, is_unread in session.execute(older.add_columns(has_changes)):
        if not is_unread:
            set_committed_value(entry, "changes", None)
        yield entry, not is_unread


def _changed_rows(entry: TrailEntry) -> int:
    """How many carriers the changes of an entry name, before and after."""
    return sum(len(carriers or ()) for carriers in (entry.changes or {}).get("carriers") or ())


@dataclass(frozen=True)
class HistoryPage:
    """Entries newest first; if it `goes_on`, the last one belongs to the next page, and tells how that begins."""

    entries: list[TrailEntry]
    goes_on: bool

    @property
    def most(self) -> int:
        """How many of the entries this page shows."""
        return len(self.entries) - self.goes_on


def page_of_history(
    session: Session, application: Application, reader: Account, older_than: int | None = None
) -> HistoryPage:
    """The newest entries of history(), or of those before the entry with this id.

    At most NEWEST, and no more than with MOST_ROWS, but at least one.
    """
    wanted = _entries(application, reader).limit(NEWEST + 1)
    if older_than is not None:
        wanted = wanted.where(TrailEntry.id < older_than)
    found, entries, rows = session.scalars(wanted).yield_per(BATCH), list[TrailEntry](), 0
    for entry in found:
        entries.append(entry)
        rows += _changed_rows(entry)
        if len(entries) > 1 and rows > MOST_ROWS:
            found.close()
            return HistoryPage(entries, goes_on=True)
    return HistoryPage(entries, goes_on=len(entries) > NEWEST)


def _entries(application: Application, reader: Account) -> Select[TrailEntry]:
    """All entries that this reader may see, newest first."""
    entries = select(TrailEntry).where(TrailEntry.application_id == application.id)
    if reader.role is not Role.PUBLISHER:
        first = _first_submission(application).with_only_columns(TrailEntry.id)
        entries = entries.where(TrailEntry.id >= first.scalar_subquery())
    else:
        entries = entries.where(TrailEntry.act.not_in([action.value for action in workflow.INTERNAL]))
    return entries.order_by(TrailEntry.id.desc())


def may_read(session: Session, file: Attachment, reader: Account) -> bool:
    """Whether this reader may open the file: one removed before the first 申报 was never submitted."""
    if reader.role is Role.PUBLISHER or file.removed_at is None:
        return True
    first = session.scalar(_first_submission(file.application))
    return first is not None and file.removed_at.replace(microsecond=0) > first.at


def _first_submission(application: Application) -> Select[TrailEntry]:
    submissions = select(TrailEntry).where(
        TrailEntry.application_id == application.id, TrailEntry.act == Action.SUBMIT.value
    )
    return submissions.order_by(TrailEntry.id).limit(1)
