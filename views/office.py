"""What an authority works with, by the settings: its files, its keys, and how it issues."""

from pathlib import Path

from flask import current_app

from models.attachments import Bounds, Store
from models.certificate import Office
from models.seal import Keys


def store() -> Store:
    """Where attachments and papers are kept."""
    return Store(current_app.config["STORE"])


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
