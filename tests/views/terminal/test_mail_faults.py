"""E-mails after a change since they were queued, or with wrong settings: none is lost."""

from pathlib import Path

import pytest
from flask import Flask

from models import access, clock
from models.acts import filing
from models.application import Application
from models.database import db
from models.mail import wording
from models.notifications import letters
from models.notifications.letters import MailLetter
from models.people.mail_address import MailWish, normal_address
from models.vocabulary import Action
from models.workflow import Refused
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.mail_server import SECRET, USER, LocalMailServer
from tests.views.terminal.commands import run_command
from tests.views.terminal.mailed import serve_mail, set_mail_wish, waiting
from tests.views.terminal.test_mail import at


def set_aside(
    invoke: Invoke, advance_clock: AdvanceClock, mail_server: LocalMailServer, make_application: MakeApplication
) -> None:
    """The publisher's mailbox refuses a letter until it is set aside."""
    mail_server.refuse["publisher@example.cn"] = "550 no such user"
    make_application(status="returned")
    for _time in range(3):
        invoke("mail", "send")
        advance_clock()
    del mail_server.refuse["publisher@example.cn"]


def restore(app: Flask, empty_app: Flask, folder: Path) -> None:
    """Back up the one and restore into the other, which then uses the same mail server."""
    assert run_command(app, "backup", folder).exit_code == 0
    answer = run_command(empty_app, "restore", folder)
    assert answer.exit_code == 0, answer.output
    empty_app.config.update({name: app.config[name] for name in ("SMTP", "SMTP_TLS", "SMTP_FROM", "SMTP_CA")})


def delete_application(app: Flask, key: int) -> None:
    with app.app_context():
        access.enter(account_of("publisher"))
        filing.perform(db.session(), Action.DELETE, db.session.get_one(Application, key), account_of("publisher"))
        db.session.commit()


@pytest.mark.parametrize("address", ["a..b@x.cn", ".a@x.cn", "a.@x.cn", "=?utf-8?q?x?=@a.cn"])
def test_an_address_not_allowed_in_a_header_is_refused(app: Flask, address: str) -> None:
    with app.app_context(), pytest.raises(Refused, match="邮箱地址不正确"):
        account_of("publisher").email = address


@pytest.mark.parametrize("address", ["a.b@x.cn", "o'brien+x=?y@a-b.cn", "#1!@x.1.cn", f"{'a' * 64}@x.cn"])
def test_an_unusual_valid_address_is_accepted(address: str) -> None:
    assert normal_address(address) == address


@pytest.mark.parametrize(
    "wrong",
    [
        {"SMTP": "mail..example.cn"},
        {"SMTP": f"{'m' * 64}.example.cn"},
        {"SMTP_USER": "王敏"},
        {"SMTP_PASSWORD": "密钥"},
    ],
)
def test_a_wrong_setting_counts_no_failure_of_the_letters(
    app: Flask,
    tmp_path: Path,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    wrong: dict[str, str],
) -> None:
    """One message a round, which names the setting and not the password; later everything is sent."""
    for name in ("publisher", "reviewer"):
        set_mail_wish(app, name)
    make_application(status="returned")
    with serve_mail(app, tmp_path, starttls=True, signs_in=True) as mail_server:
        right = {"SMTP": app.config["SMTP"], "SMTP_USER": USER, "SMTP_PASSWORD": SECRET}
        app.config.update(right | wrong)
        for _time in range(4):
            found = invoke("mail", "send").output
            assert found.count("邮件服务器不能使用：请检查 FILING_SMTP") == 1
            assert "密" not in found
            advance_clock()
        assert [(letter.faults, letter.set_aside_at) for letter in waiting(app)] == [(0, None)] * 2
        app.config.update(right)
        invoke("mail", "send")
        assert len(mail_server.letters) == 2


def test_a_wrong_address_of_one_person_is_not_reported_by_monitoring(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
) -> None:
    """The recipient sees it beside the address; the monitoring does not report it."""
    set_mail_wish(app, "publisher")
    set_aside(invoke, advance_clock, mail_server, make_application)
    assert "mail" not in app.test_client().get("/healthz").text.split()


def test_saving_an_unchanged_preference_keeps_queued_letters(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    set_mail_wish(app, "publisher")
    make_application(status="returned")
    form = {"email": "publisher@example.cn", "mail_wish": "each"}
    browser = client_as("publisher")
    browser.post("/messages/mail/", data=form | {"email": " publisher@example.cn "})
    assert len(waiting(app)) == 1
    browser.post("/messages/mail/", data=form | {"mail_wish": "daily"})
    assert waiting(app) == []


@pytest.mark.parametrize("now", [MailWish.DAILY, MailWish.NONE])
def test_a_letter_per_message_is_not_sent_after_the_preference_has_changed(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    monkeypatch: pytest.MonkeyPatch,
    now: MailWish,
) -> None:
    """Before eight o'clock, so that no digest goes out instead."""
    at(monkeypatch, 3, 7)
    set_mail_wish(app, "publisher")
    make_application(status="returned")
    set_mail_wish(app, "publisher", now)
    assert len(waiting(app)) == 1
    assert invoke("mail", "send").output == ""
    assert mail_server.letters == []
    assert waiting(app) == []


@pytest.mark.parametrize("now", [MailWish.EACH, MailWish.NONE])
def test_a_digest_is_not_sent_after_the_preference_has_changed(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    monkeypatch: pytest.MonkeyPatch,
    now: MailWish,
) -> None:
    set_mail_wish(app, "publisher", MailWish.DAILY)
    at(monkeypatch, 2, 10)
    make_application(status="returned")
    at(monkeypatch, 3, 9)
    with app.app_context(), access.everything() as session:
        letters.enqueue_digests(session)
        session.commit()
    assert len(waiting(app)) == 1
    set_mail_wish(app, "publisher", now)
    assert invoke("mail", "send").output == ""
    assert mail_server.letters == []
    assert waiting(app) == []


def test_a_refused_letter_is_reported_until_a_later_one_is_accepted(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    client_as: ClientAs,
) -> None:
    """A letter that was dropped as outdated proves nothing about the address."""
    set_mail_wish(app, "publisher")
    set_aside(invoke, advance_clock, mail_server, make_application)
    delete_application(app, make_application(status="refused"))
    invoke("mail", "send")
    assert mail_server.recipients == []
    assert "550 no such user" in client_as("publisher").get("/messages/mail/").text
    make_application(status="returned")
    invoke("mail", "send")
    assert mail_server.recipients == [["publisher@example.cn"]]
    assert "550" not in client_as("publisher").get("/messages/mail/").text


@pytest.mark.parametrize("line", ["短", "很长的一行" * 40])
def test_a_letter_is_ascii_for_servers_without_8bitmime(app: Flask, line: str) -> None:
    claim = letters.Claim(1, 1, 1, 1, 1, None, clock.now(), None, None)
    with app.app_context():
        letter = wording.addressed(wording.Text("退回", [line]), claim, "a@example.cn", "b@example.cn")
    assert letter.as_bytes().isascii()
    assert letter.get_content().strip() == line


def test_a_restore_sends_no_letter_of_the_backup(
    app: Flask,
    empty_app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    tmp_path: Path,
) -> None:
    """They may have been sent, or this is a trial on another machine. Letters set aside stay as a record."""
    assert run_command(app, "upgrade").exit_code == 0
    set_mail_wish(app, "publisher")
    set_aside(invoke, advance_clock, mail_server, make_application)
    make_application(status="returned")
    assert len(waiting(app)) == 2
    restore(app, empty_app, tmp_path / "backup")
    (aside,) = waiting(empty_app)
    assert aside.set_aside_at is not None
    with empty_app.app_context(), access.everything() as session:
        assert session.query(MailLetter).count() == 2
    advance_clock()
    assert "filing release" in run_command(empty_app, "mail", "send").output
    assert mail_server.letters == []


def test_after_a_restore_nobody_is_reminded_until_an_operator_releases_it(
    app: Flask,
    empty_app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    tmp_path: Path,
) -> None:
    """Messages in the panel are written as usual; monitoring and 运行状态 say what to do."""
    assert run_command(app, "upgrade").exit_code == 0
    set_mail_wish(app, "reviewer")
    key = make_application(status="pending")
    with app.app_context(), access.everything() as session:
        session.get_one(Application, key).due_on = clock.today()
        session.commit()
    restore(app, empty_app, tmp_path / "backup")
    run_command(empty_app, "mail", "send")
    assert mail_server.letters == []
    assert "held" in empty_app.test_client().get("/healthz").text.split()
    assert "已放行" in run_command(empty_app, "release").output
    assert "没有暂停" in run_command(empty_app, "release").output
    advance_clock()
    assert run_command(empty_app, "mail", "send").output == ""
    assert [letter["Subject"] for letter in mail_server.letters] == ["备案系统：办结期限临近"]
    assert "held" not in empty_app.test_client().get("/healthz").text.split()
