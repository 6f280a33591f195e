"""The store, the keys, the issuing office and the retry pace, as the settings name them."""

from pathlib import Path

from flask import current_app

from models.application.attachments import Store
from models.certificate import Office
from models.customs.outbox import Pace
from models.signing.keys import Keys


def store() -> Store:
    """Where attachments and papers are kept."""
    return Store(current_app.config["STORE"])


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
