"""Who may read which part of an application.

Its owner alone reads what happened before the first 申报; the authorities alone read which reviewer had taken the case.
"""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import workflow
from models.application import Application
from models.application.attachments import Attachment
from models.application.trail import TrailEntry
from models.people.accounts import Account
from models.vocabulary import Action, Role, Step, Word

NEWEST = 50  # entries of a history that a page shows unless asked for all of it
# Acts that the nation reads in 办理日志: those of the provinces and of customs, and 申报.
NATIONAL_ACTS: tuple[Word, ...] = (
    *(each for each in Action if each not in (Action.EDIT, Action.DELETE, Action.COPY, Action.DUPLICATE)),
    *(each for each in Step if each not in (Step.START, Step.ATTACH, Step.DETACH)),
)
PRIVATE_ACTS = [each.value for words in (Action, Step) for each in words if each not in NATIONAL_ACTS]


def history(session: Session, application: Application, reader: Account, most: int | None = None) -> list[TrailEntry]:
    """办理过程 as this reader may see it, newest first: the newest `most` entries, or all of them (None)."""
    entries = select(TrailEntry).where(TrailEntry.application_id == application.id)
    if reader.role is not Role.PUBLISHER:
        first = _first_submission(application).with_only_columns(TrailEntry.id)
        entries = entries.where(TrailEntry.id >= first.scalar_subquery())
    else:
        entries = entries.where(TrailEntry.act.not_in([action.value for action in workflow.INTERNAL]))
    return list(session.scalars(entries.order_by(TrailEntry.id.desc()).limit(most)))


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
