"""What of an application is told to whom: what came before the first 申报 belongs to its owner alone (design 2.4)."""

from datetime import datetime

from models.accounts import Account
from models.application import Application
from models.attachments import Attachment
from models.trail import TrailEntry
from models.vocabulary import Action, Role


def history(application: Application, reader: Account) -> list[TrailEntry]:
    """办理过程 as this reader is told it, the oldest first."""
    if reader.role is Role.PUBLISHER:
        return application.trail
    acts = [entry.act for entry in application.trail]
    return application.trail[acts.index(Action.SUBMIT) :] if Action.SUBMIT in acts else []


def may_read(file: Attachment, reader: Account) -> bool:
    """Whether this reader may open the file: one taken out before the first 申报 was never handed in."""
    if reader.role is Role.PUBLISHER or file.removed_at is None:
        return True
    handed_in = _handed_in(file.application)
    return handed_in is not None and file.removed_at.replace(microsecond=0) > handed_in


def _handed_in(application: Application) -> datetime | None:
    return next((entry.at for entry in application.trail if entry.act == Action.SUBMIT), None)
