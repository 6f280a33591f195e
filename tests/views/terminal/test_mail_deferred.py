"""A mailbox that takes nothing for now is its owner's matter; a mail server that takes nothing is the system's."""

import pytest
from flask import Flask

from models.notifications import letters
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.mail_server import LocalMailServer
from tests.views.screens.test_condition import condition_lines
from tests.views.terminal.mailed import set_mail_wish


def send_and_wait(invoke: Invoke, advance_clock: AdvanceClock) -> str:
    """The output of one round; afterwards every letter that is left is overdue."""
    output: str = invoke("mail", "send").output
    advance_clock()
    return output


def is_reported(app: Flask) -> bool:
    return "mail" in app.test_client().get("/healthz").text.split()


def test_one_full_mailbox_is_shown_to_the_operator_and_is_no_problem_of_the_system(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    client_as: ClientAs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless so many are full at once that the server has a quota."""
    set_mail_wish(app, "publisher")
    mail_server.refuse["publisher@example.cn"] = "452 mailbox full"
    for _letter in range(2):
        make_application(status="returned")
        send_and_wait(invoke, advance_clock)
    assert not is_reported(app)
    invoke("mail", "send")  # the worker is alive
    state, now, to_do = condition_lines(client_as("operator"))["提醒和邮件"]
    assert (state, now.endswith("待发邮件 2，其中收件邮箱暂不接收 2，已搁置 0")) == ("须关注", True)
    assert "publisher：邮件服务器暂不接收（452 mailbox full）。" in to_do
    monkeypatch.setattr(letters, "MANY", 1)
    assert is_reported(app)


def test_a_server_that_takes_no_letter_of_anybody_is_reported_until_it_takes_one(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
) -> None:
    for name in ("publisher", "reviewer"):
        set_mail_wish(app, name)
        mail_server.refuse[f"{name}@example.cn"] = "451 try again later"
    make_application(status="returned")
    make_application(by="agent", status="customs_received")
    send_and_wait(invoke, advance_clock)
    assert is_reported(app)
    del mail_server.refuse["publisher@example.cn"]
    invoke("mail", "send")
    assert mail_server.recipients
    assert not is_reported(app)


def test_a_server_that_closes_the_session_at_a_recipient_is_reported(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
) -> None:
    """421 speaks of the server, whatever it answers."""
    set_mail_wish(app, "publisher")
    mail_server.refuse["publisher@example.cn"] = "421 shutting down"
    make_application(status="returned")
    assert "邮件服务器不能使用" in send_and_wait(invoke, advance_clock)
    assert is_reported(app)
