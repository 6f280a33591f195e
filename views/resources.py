"""Objects built from the settings: store, keys, issuing office, mail server, pace of retries."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from flask import current_app

from models.application import Application
from models.application.attachments import Store
from models.application.bounds import Bounds
from models.backup import registered_store
from models.certificate import Office
from models.certificate.licence_identifier import LicenceCodes
from models.certificate.status_list import Publisher
from models.checkpoint.remote_witness import RemoteWitness, is_remote
from models.checkpoint.witnesses import MAIL, split_names
from models.customs import CustomsMessage, unanswered_of
from models.customs.outbox import Pace
from models.database import db
from models.files.virus import Scanner
from models.mail import Post
from models.mail.smtp import WAYS, MailServer
from models.notifications import letters
from models.signing.keys import Keys
from models.signing.time_stamps import TimeStampAuthority


def store() -> Store:
    """The store of attachments and papers, with the identity that the database has registered for it."""
    return Store(current_app.config["STORE"], lambda: registered_store.identity(db.session()), scanner())


def scanner() -> Scanner | None:
    """The virus scanner for uploads; None: uploads are not scanned."""
    return Scanner(str(current_app.config["CLAMD"])) if current_app.config["CLAMD"] else None


def bounds() -> Bounds:
    """How many files an application may have."""
    names = ("ATTACHMENTS_PER_KIND", "ATTACHMENTS_IN_ALL", "ATTACHMENTS_EVER")
    return Bounds(*(int(current_app.config[name]) for name in names))


def keys() -> Keys:
    config = current_app.config
    stamps = None
    if config["TSA"]:
        revoked = Path(config["TSA_CRL"]) if config["TSA_CRL"] else None
        stamps = TimeStampAuthority(config["TSA"], Path(config["TSA_CA"]), revoked)
    return Keys(Path(config["SIGNING_KEY"]), config["SIGNING_PASSPHRASE"], stamps)


def office() -> Office:
    days = current_app.config["VALID_DAYS"]
    return Office(keys(), int(days) if days else None, licence_codes())


def licence_codes() -> LicenceCodes:
    return LicenceCodes(current_app.config["LICENCE_TYPE"] or "", current_app.config["LICENCE_ISSUERS"])


def list_publisher() -> Publisher:
    """Signs the lists of revoked certificates."""
    config = current_app.config
    return Publisher(keys(), str(config["BASE_URL"]).rstrip("/"), int(config["STATUS_LIST_DAYS"]))


def session_limits() -> tuple[timedelta, timedelta]:
    """How long a session lasts: after the last request, and after sign-in."""
    config = current_app.config
    return timedelta(minutes=int(config["SESSION_MINUTES"])), timedelta(hours=int(config["SESSION_HOURS"]))


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
    """Mail server, address of this system, pace and secret for the worker that sends e-mails; None: none is sent."""
    if (server := mail_server()) is None:
        return None
    return Post(server, str(current_app.config["BASE_URL"]).rstrip("/"), mail_pace(), current_app.config["SECRET_KEY"])


def witnesses() -> list[str]:
    """The witnesses of each checkpoint: folders (absolute paths), mailto: addresses, https: addresses that cosign."""
    folder = Path(current_app.instance_path)
    names = split_names(current_app.config["WITNESSES"])
    return [name if name.startswith(MAIL) or is_remote(name) else str(folder / name) for name in names]


def remote_witness(name: str) -> RemoteWitness:
    """The client of a witness that cosigns; `name`: one of witnesses() for which is_remote() is true."""
    return RemoteWitness.of_text(name, current_app.config["WITNESS_CA"])


def unanswered(row: Application) -> CustomsMessage | None:
    """The message about the application that is 久未回执; None if there is none."""
    if row.certificate is None:
        return None
    return unanswered_of(db.session(), row, pace().unanswered_since())
