"""Store, keys, issuing office, mail server and retry pace, by the settings."""

from dataclasses import replace
from pathlib import Path

from flask import current_app

from models.application import Application
from models.application.attachments import Store
from models.application.bounds import Bounds
from models.backup import registered_store
from models.certificate import Office
from models.customs import CustomsMessage, unanswered_of
from models.customs.outbox import Pace
from models.database import db
from models.mail import Post
from models.mail.smtp import WAYS, MailServer
from models.notifications import letters
from models.signing.keys import Keys


def store() -> Store:
    """The store of attachments and papers, with the identity that the database has registered for it."""
    return Store(current_app.config["STORE"], lambda: registered_store.identity(db.session()))


def bounds() -> Bounds:
    """How many files an application may have."""
    names = ("ATTACHMENTS_PER_KIND", "ATTACHMENTS_IN_ALL", "ATTACHMENTS_EVER")
    return Bounds(*(int(current_app.config[name]) for name in names))


def keys() -> Keys:
    return Keys(Path(current_app.config["SIGNING_KEY"]), current_app.config["SIGNING_PASSPHRASE"])


def office() -> Office:
    days = current_app.config["VALID_DAYS"]
    return Office(keys(), int(days) if days else None)


def pace() -> Pace:
    return Pace(**current_app.config["CUSTOMS_PACE"])


def mail_server() -> MailServer | None:
    """The mail server of the settings; None: no e-mail is sent."""
    config = current_app.config
    if not config["SMTP"]:
        return None
    host, _colon, port = config["SMTP"].partition(":")
    way, sender = config["SMTP_TLS"], config["SMTP_FROM"]
    server = MailServer(host, int(port or WAYS[way]), way, sender, config["SMTP_USER"], config["SMTP_PASSWORD"])
    return replace(server, ca=config["SMTP_CA"])


def mail_pace() -> letters.Pace:
    return letters.Pace(**current_app.config["MAIL_PACE"])


def post() -> Post | None:
    """What the worker sends e-mails with; None: no e-mail is sent."""
    if (server := mail_server()) is None:
        return None
    return Post(server, str(current_app.config["BASE_URL"]).rstrip("/"), mail_pace())


def unanswered(row: Application) -> CustomsMessage | None:
    """The message about the application that is 久未回执, if any."""
    if row.certificate is None:
        return None
    return unanswered_of(db.session(), row, pace().unanswered_since())
