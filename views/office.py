"""What an authority works with, by the settings: its files, its keys, and how it issues."""

from pathlib import Path

from flask import current_app

from models import registered_store
from models.attachments import Store
from models.certificate import Office
from models.db import db
from models.seal import Keys


def store() -> Store:
    """Where attachments and papers are kept; it is used only while it is the one that the database has registered."""
    return Store(current_app.config["STORE"], lambda: registered_store.identity(db.session()))


def keys() -> Keys:
    """The keys of the authorities."""
    return Keys(Path(current_app.config["SIGNING_KEY"]), current_app.config["SIGNING_PASSPHRASE"])


def office() -> Office:
    """What certificates are issued with."""
    days = current_app.config["VALID_DAYS"]
    return Office(keys(), int(days) if days else None)
