"""E-mails about applications."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from models import access
from models.database import db
from models.notifications import letters
from models.notifications.letters import MailLetter
from models.people.mail_address import MailWish
from tests.cast import account_of
from tests.views.mail_server import LocalMailServer


@contextmanager
def serve_mail(app: Flask, folder: Path, **options: bool) -> Iterator[LocalMailServer]:
    """A running mail server, set in the application's settings."""
    with LocalMailServer(folder, **options) as mail_server:
        way = "starttls" if options.get("starttls") else "none"
        app.config.update(
            SMTP=mail_server.address, SMTP_TLS=way, SMTP_FROM="filing@example.cn", SMTP_CA=str(mail_server.certificate)
        )
        yield mail_server


def set_mail_wish(app: Flask, username: str, wish: MailWish = MailWish.EACH) -> None:
    with app.app_context():
        account = account_of(username)
        account.email, account.mail_wish = f"{username}@example.cn", wish
        db.session.commit()


def waiting(app: Flask) -> list[MailLetter]:
    with app.app_context(), access.everything() as session:
        return list(session.scalars(select(MailLetter).where(letters.UNSENT).order_by(MailLetter.id)))
