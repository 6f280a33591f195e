"""E-mails through a real mail server: their text, recipients and frequency, and the failures."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.acts import filing
from models.application import Application
from models.database import db
from models.mail import wording
from models.notifications import Notification, letters, mark_read
from models.people.mail_address import MailWish
from models.vocabulary import Action, Role
from models.workflow import Refused
from tests.browsing import Browser
from tests.cast import account_of, announced, create_application
from tests.conftest import MakeApplication
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.mail_server import LocalMailServer
from tests.views.terminal.mailed import set_mail_wish, waiting

TITLE = "机密的题名"


def test_a_letter_contains_only_the_number_and_the_event(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke
) -> None:
    """No title, no opinion, no name; and its link leads there once signed in."""
    app.config["BASE_URL"] = "https://filing.example.cn/"
    set_mail_wish(app, "publisher")
    key = create_application(app, "publisher", "returned", title=TITLE)
    assert invoke("mail", "send").output == ""
    (letter,) = mail_server.letters
    with app.app_context(), access.everything() as session:
        number = session.get_one(Application, key).number
        message = session.scalars(select(Notification.id).where(Notification.event == "return")).one()
    text = letter.get_content()
    assert mail_server.recipients == [["publisher@example.cn"]]
    assert (letter["To"], letter["Subject"]) == ("publisher@example.cn", "备案系统：退回")
    assert letter["From"] == "赴境外加工光盘进口备案系统 <filing@example.cn>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@example.cn>")
    assert f"{number} 已退回" in text
    assert f"https://filing.example.cn/messages/details/?id={message}\r\n" in text
    for secret in (TITLE, "材料需要核对", "王敏", "江苏"):
        assert secret not in text + str(letter["Subject"])
    invoke("mail", "send")
    assert len(mail_server.letters) == 1


def test_letters_are_sent_on_request_only_and_about_unread_messages(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, make_application: MakeApplication
) -> None:
    """The publisher gets none; the agent has read it on the screen; the reviewer gets only their own."""
    set_mail_wish(app, "agent")
    set_mail_wish(app, "reviewer")
    set_mail_wish(app, "reviewer2")
    set_mail_wish(app, "publisher", MailWish.NONE)
    make_application(by="agent", status="returned")
    make_application(status="returned")
    with app.app_context():
        access.enter(account_of("agent"))
        for row in db.session.scalars(select(Notification)):
            mark_read(db.session(), row)
        db.session.commit()
    invoke("mail", "send")
    assert mail_server.recipients == [["reviewer@example.cn"]] * 2
    assert waiting(app) == []


@pytest.mark.parametrize("how", ["disabled", "deleted", "moved", "no address", "old"])
def test_a_message_its_reader_may_no_longer_see_is_not_mailed(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it is when it is sent, not when it was written."""
    set_mail_wish(app, "publisher")
    key = make_application(status="refused")
    assert len(waiting(app)) == 1
    with app.app_context():
        access.enter(account_of("publisher"))
        account = account_of("publisher")
        match how:
            case "disabled":
                account.active = False
            case "deleted":
                filing.perform(db.session(), Action.DELETE, db.session.get_one(Application, key), account)
            case "moved":
                account.organisation_id = account_of("publisher2").organisation_id
            case "no address":
                account.email = None
        db.session.commit()
    if how == "old":
        really = clock.now
        monkeypatch.setattr(clock, "now", lambda: really() + timedelta(days=4))
    assert invoke("mail", "send").exit_code == 0
    assert mail_server.letters == []
    assert waiting(app) == []


def at(monkeypatch: pytest.MonkeyPatch, day: int, hour: int) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, day, hour, tzinfo=clock.SHANGHAI))


def test_a_daily_digest_is_one_letter_and_an_empty_digest_is_not_sent(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_mail_wish(app, "publisher", MailWish.DAILY)
    at(monkeypatch, 2, 10)
    make_application(status="returned")
    make_application(status="customs_received")
    at(monkeypatch, 3, 7)
    invoke("mail", "send")
    assert mail_server.letters == []
    for day, hour in ((3, 9), (3, 20), (4, 9), (5, 9)):
        at(monkeypatch, day, hour)
        invoke("mail", "send")
    (letter,) = mail_server.letters
    assert letter["Subject"] == "备案系统：3 条未读消息（2026-03-02 起）"
    assert letter.get_content().count("/messages/details/?id=") == 3


def test_an_announcement_is_mailed(app: Flask, mail_server: LocalMailServer, invoke: Invoke) -> None:
    """A title that contains header lines stays text."""
    set_mail_wish(app, "national")
    announced(app, title="停机\r\nBcc: everybody@example.cn", roles=frozenset({Role.NATIONAL}))
    invoke("mail", "send")
    (letter,) = mail_server.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == "备案系统：通知公告"


@pytest.mark.parametrize(
    "typed_address",
    [
        "a@example.cn\r\nBcc: b@example.cn",
        "a@example.cn, b@example.cn",
        "王@example.cn",
        "a b@example.cn",
        "a@b",
        '"a"@b.cn',
    ],
)
def test_an_address_cannot_inject_a_header_or_recipient(app: Flask, typed_address: str) -> None:
    with app.app_context(), pytest.raises(Refused, match="邮箱地址不正确"):
        account_of("publisher").email = typed_address


def test_a_letter_with_a_line_break_in_a_header_is_refused(app: Flask) -> None:
    """The last guard: the policy of the e-mail itself."""
    claim = letters.Claim(1, 1, 1, 1, 1, None, clock.now(), None, None)
    with app.app_context(), pytest.raises(ValueError, match="linefeed"):
        wording.addressed(wording.Text("x\r\nBcc: b@example.cn", []), claim, "a@example.cn", "b@example.cn")


def test_a_letter_to_a_wrong_address_is_set_aside_and_delays_no_other(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    client_as: Callable[..., Browser],
) -> None:
    set_mail_wish(app, "publisher")
    set_mail_wish(app, "reviewer")
    mail_server.refuse["publisher@example.cn"] = "550 no such user"
    make_application(status="returned")
    for _time in range(3):
        invoke("mail", "send")
        advance_clock()
    assert mail_server.recipients == [["reviewer@example.cn"]]
    (letter,) = waiting(app)
    assert (letter.set_aside_at is not None, letter.attempts) == (True, 3)
    browser = client_as("publisher")
    assert "550 no such user" in browser.get("/messages/mail/").text
    form = {"email": "wang@example.cn", "mail_wish": "each"}
    assert "550" not in browser.post("/messages/mail/", data=form, follow_redirects=True).text
    assert [letter.recipient for letter in waiting(app)] == [None, "wang@example.cn"]  # a code, to the new one
