"""A new e-mail address is confirmed by a code sent there; until then it gets nothing else; the old one is notified."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from models import clock
from models.people import mail_confirmation
from models.people.mail_address import MailWish
from tests.browsing import Browser, ClientAs
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.mail_server import LocalMailServer
from tests.views.pages import complaints, flashed
from tests.views.terminal.mailed import set_mail_wish, waiting

NEW = {"email": "new@example.cn", "mail_wish": "each"}


def code_in(mail_server: LocalMailServer) -> str:
    """The code of the last letter."""
    (code,) = re.findall(r"(?m)^(\d{6})\r?$", mail_server.letters[-1].get_content())
    return str(code)


def enter(browser: Browser, code: str) -> str:
    """The page after a code was typed."""
    return browser.post("/messages/mail/confirm/", data={"code": code}, follow_redirects=True).text


def test_a_new_address_gets_only_a_confirmation_code_until_it_is_entered(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, client_as: ClientAs, make_application: MakeApplication
) -> None:
    browser = client_as("publisher")
    browser.post("/messages/mail/", data=NEW)
    make_application(status="returned")
    invoke("mail", "send")
    assert mail_server.recipients == [["new@example.cn"]]
    letter = mail_server.letters[0]
    assert letter["Subject"] == "备案系统：确认邮箱地址"
    assert "王敏" not in letter.get_content() and "SQ" not in letter.get_content(), "it may be a stranger's"
    code = code_in(mail_server)
    assert flashed(enter(browser, f" {code[:3]} {code[3:]} "))[-1:] == [
        "已保存。今后每条消息都会发送到 new@example.cn。"
    ]
    make_application(status="returned")
    invoke("mail", "send")
    assert mail_server.recipients == [["new@example.cn"]] * 2
    assert mail_server.letters[1]["Subject"] == "备案系统：退回"


def test_the_former_address_is_used_until_confirmation_and_notified_afterwards(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, client_as: ClientAs, make_application: MakeApplication
) -> None:
    set_mail_wish(app, "publisher")
    browser = client_as("publisher")
    browser.post("/messages/mail/", data=NEW)
    make_application(status="returned")
    invoke("mail", "send")
    assert sorted(mail_server.recipients) == [["new@example.cn"], ["publisher@example.cn"]]
    code = next(letter for letter in mail_server.letters if letter["To"] == "new@example.cn")
    enter(browser, re.findall(r"(?m)^(\d{6})\r?$", code.get_content())[0])
    invoke("mail", "send")
    assert mail_server.recipients[2:] == [["publisher@example.cn"]]
    assert mail_server.letters[2]["Subject"] == "备案系统：邮箱地址已变更"
    assert "new@example.cn" not in mail_server.letters[2].get_content()
    browser.post("/messages/mail/", data={"email": "", "mail_wish": "none"})
    invoke("mail", "send")
    assert mail_server.recipients[3:] == [["new@example.cn"]], "a removed address is notified, too"


def test_a_confirmation_code_expires_and_allows_few_attempts(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client_as("publisher")
    browser.post("/messages/mail/", data=NEW)
    invoke("mail", "send")
    code = code_in(mail_server)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for left in (4, 3, 2, 1, 0):
        assert complaints(enter(browser, wrong)) == [f"确认码不正确，请核对最近一封邮件，还可以再试 {left} 次。"]
    assert "输错次数过多" in complaints(enter(browser, code))[0]
    assert "一分钟后再试" in browser.post("/messages/mail/confirm/", data={"again": "1"}).text
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=2))
    assert browser.post("/messages/mail/confirm/", data={"again": "1"}).status_code == 303
    invoke("mail", "send")
    assert (again := code_in(mail_server)) != code
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=24, minutes=3))
    assert "已经过期" in enter(client_as("publisher"), again)
    with app.app_context():
        assert account_of("publisher").email is None


def test_the_number_of_confirmation_letters_is_limited(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten codes a day, the newest alone is sent, and one that is overtaken is not."""
    browser, now = client_as("publisher"), clock.now()
    for minute in range(12):
        monkeypatch.setattr(clock, "now", lambda at=minute: now + timedelta(minutes=2 * at))
        answer = browser.post("/messages/mail/", data=NEW | {"email": f"a{minute}@example.cn"})
        assert answer.status_code == (302 if minute < 10 else 422)
    assert "24 小时内最多发送 10 次" in answer.text
    assert [letter.recipient for letter in waiting(app)] == ["a9@example.cn"]


def test_a_password_reset_discards_an_unconfirmed_address(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, client_as: ClientAs
) -> None:
    client_as("publisher").post("/messages/mail/", data=NEW)
    with app.app_context():
        key = account_of("publisher").id
    client_as("operator").post("/accounts/reset/", data={"id": key})
    invoke("mail", "send")
    assert mail_server.letters == []
    with app.app_context():
        account = account_of("publisher")
        assert (account.email_new, account.mail_wish, mail_confirmation.waits(account)) == (None, MailWish.NONE, False)


@pytest.mark.parametrize("by_command", [False, True], ids=("page", "command"))
def test_a_password_reset_notifies_the_confirmed_address_that_it_removes(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, client_as: ClientAs, by_command: bool
) -> None:
    set_mail_wish(app, "publisher")
    with app.app_context():
        key, former = account_of("publisher").id, account_of("publisher").email
    if by_command:
        invoke("account", "password", "publisher")
    else:
        client_as("operator").post("/accounts/reset/", data={"id": key})
    invoke("mail", "send")
    assert mail_server.recipients == [[former]]
    assert mail_server.letters[0]["Subject"] == "备案系统：邮箱地址已变更"
