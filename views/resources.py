"""The store, the keys, the issuing office and the retry pace, as the settings name them."""

from pathlib import Path

from flask import current_app

from models.application import Application
from models.application.attachments import Bounds, Store
from models.backup import registered_store
from models.certificate import Office
from models.customs import CustomsMessage, unanswered_of
from models.customs.outbox import Pace
from models.database import db
from models.signing.keys import Keys


def store() -> Store:
    """Where attachments and papers are kept; it is used only while it is the one that the database has registered."""
    return Store(current_app.config["STORE"], lambda: registered_store.identity(db.session()))


def bounds() -> Bounds:
    """How many files an application may have."""
    return Bounds(int(current_app.config["ATTACHMENTS_PER_KIND"]), int(current_app.config["ATTACHMENTS_IN_ALL"]))


def keys() -> Keys:
    """The keys of the authorities."""
    return Keys(Path(current_app.config["SIGNING_KEY"]), current_app.config["SIGNING_PASSPHRASE"])


def office() -> Office:
    """What certificates are issued with."""
    days = current_app.config["VALID_DAYS"]
    return Office(keys(), int(days) if days else None)


def pace() -> Pace:
    """How long customs is waited for, and when a message is tried again."""
    return Pace(**current_app.config["CUSTOMS_PACE"])


def unanswered(row: Application) -> CustomsMessage | None:
    """The message about it that customs has not answered for long, if any."""
    if row.certificate is None:
        return None
    return unanswered_of(db.session(), row, pace().unanswered_since())
