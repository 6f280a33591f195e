"""Signing in again over a page, by what its session was begun with: a security key; a card or the portal elsewhere."""

import pytest
from flask import Flask
from sqlalchemy import update

from models import access
from models.people.methods import Method
from models.people.sessions import Visit
from tests.browsing import Browser, ClientAs
from tests.cast import account_of
from tests.independent_portal import IndependentPortal
from tests.views.keys import SCRIPT, enrol, is_in, options

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def page_of(app: Flask, username: str) -> dict[str, str]:
    """The headers of a script on a page that was rendered for this person."""
    with app.app_context():
        return SCRIPT | {"X-Account": str(account_of(username).id)}


def test_a_page_is_renewed_only_with_a_key_of_its_account(webauthn_app: Flask, client_as: ClientAs) -> None:
    key = enrol(client_as("publisher"))
    for username, status in (("publisher2", 401), ("publisher", 200)):
        browser = client_as(None)
        answer = key.get(options(browser, "/login/key/options"))
        sent = browser.post("/login/key", data={"credential": answer}, headers=page_of(webauthn_app, username))
        assert (sent.status_code, is_in(browser)) == (status, status == 200)
        assert ("csrf_token" in sent.json) is (status == 200)
        assert ("不是以该账号打开的" in sent.json.get("message", "")) is (status == 401)


def test_a_page_learns_that_somebody_has_signed_in_elsewhere(webauthn_app: Flask, client_as: ClientAs) -> None:
    """Until then the polled answer sets no cookie that could overwrite that of the sign-in."""
    headers = page_of(webauthn_app, "publisher")
    answer = client_as(None).get("/login", headers=headers)
    assert (answer.status_code, answer.json, answer.headers.get_all("Set-Cookie")) == (401, {"message": ""}, [])
    other = client_as("publisher2").get("/login", headers=headers)
    assert other.status_code == 401 and "不是以该账号打开的" in other.json["message"]
    browser: Browser = client_as("publisher")
    answer = browser.get("/login", headers=headers)
    assert answer.status_code == 200
    done = browser.post("/logout", data={"csrf_token": answer.json["csrf_token"]}, csrf=False)
    assert (done.status_code, is_in(browser)) == (303, False)


@pytest.mark.parametrize(
    ("method", "offered"),
    [
        (Method.PASSWORD, ""),
        (Method.KEY, "使用密钥登录"),
        (Method.CARD, "使用 IC 卡"),
        (Method.PORTAL, "从单一窗口登录"),
    ],
)
def test_the_dialog_offers_the_sign_in_method_of_the_session(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs, method: Method, offered: str
) -> None:
    webauthn_app.config["CARD_URL"] = "https://localhost:8443/login/card"
    browser = client_as("publisher")
    with webauthn_app.app_context(), access.everything() as session:
        session.execute(update(Visit).values(method=method))
        session.commit()
    dialog = browser.get("/applications/").text.partition('id="sign-in-again"')[2]
    ways = ("使用密钥登录", "使用 IC 卡", "从单一窗口登录")
    assert [way for way in ways if way in dialog] == [way for way in ways if way == offered]
