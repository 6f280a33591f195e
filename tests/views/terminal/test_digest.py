"""The digest of a day: every message once, also one whose act was committed behind the last digest."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import access
from models.notifications import Notification
from models.people.mail_address import MailWish
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.mail_server import LocalMailServer
from tests.views.terminal.mailed import set_mail_wish
from tests.views.terminal.test_mail import at


def lines(mail_server: LocalMailServer) -> list[int]:
    """The number of messages in each letter."""
    return [letter.get_content().count("/messages/details/?id=") for letter in mail_server.letters]


def test_a_message_committed_during_a_digest_is_in_the_next(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its act began before the digest and ended after it: the message has an earlier time than the digest."""
    set_mail_wish(app, "publisher", MailWish.DAILY)
    at(monkeypatch, 2, 10)
    make_application(status="returned")
    at(monkeypatch, 3, 9)
    invoke("mail", "send")
    assert lines(mail_server) == [1]
    at(monkeypatch, 3, 10)
    make_application(status="returned")
    with app.app_context(), access.everything() as session:
        newest = select(Notification).order_by(Notification.id.desc())
        late = session.scalars(newest.where(Notification.mailed_at.is_(None), Notification.event == "return")).first()
        assert late is not None
        session.execute(update(Notification).where(Notification.id == late.id).values(at=late.at - timedelta(hours=2)))
        session.commit()
    for day in (4, 5):
        at(monkeypatch, day, 9)
        invoke("mail", "send")
    assert lines(mail_server) == [1, 1]


def test_a_message_already_sent_as_a_letter_is_not_in_the_digest(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After changing from a letter per message to a daily digest."""
    set_mail_wish(app, "publisher", MailWish.EACH)
    at(monkeypatch, 2, 10)
    make_application(status="returned")
    invoke("mail", "send")
    set_mail_wish(app, "publisher", MailWish.DAILY)
    make_application(status="refused")
    at(monkeypatch, 3, 9)
    invoke("mail", "send")
    assert lines(mail_server) == [1, 1]
    assert "退回" not in mail_server.letters[1].get_content()
