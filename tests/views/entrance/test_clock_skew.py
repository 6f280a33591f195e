"""Two nodes behind one address: what one stored may lie SKEW ahead of the other's clock, and no further."""

from datetime import timedelta

import pytest
from flask import Flask

from models import clock
from models.people import mail_confirmation
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.views.keys import by_password, enrol, is_in, options

NOW = clock.now()


@pytest.mark.parametrize(("behind", "accepted"), [(50, True), (70, False)])
def test_both_steps_may_be_answered_by_another_node(
    webauthn_app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, behind: int, accepted: bool
) -> None:
    key, browser = enrol(client_as("publisher")), client_as(None)
    by_password(browser)
    answer, now = key.get(options(browser, "/login/confirm/options")), clock.now()
    monkeypatch.setattr(clock, "now", lambda: now - timedelta(seconds=behind))
    browser.post("/login/confirm", data={"credential": answer})
    assert is_in(browser) == accepted


@pytest.mark.parametrize(("behind", "accepted"), [(50, True), (70, False)])
def test_a_code_is_sent_and_accepted_by_another_node(app: Flask, behind: int, accepted: bool) -> None:
    with app.app_context():
        account = account_of("publisher")
        with clock.fixed(NOW):
            mail_confirmation.ask(account, "new@example.cn")
        with clock.fixed(NOW - timedelta(seconds=behind)):
            assert mail_confirmation.waits(account) == accepted
