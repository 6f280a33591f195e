"""Security keys through the test client: enrol a key, sign in with it."""

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import access
from models.log import LogEntry
from tests.authenticator import Authenticator
from tests.browsing import Browser
from tests.cast import PASSWORD

ORIGIN = "http://localhost"
SCRIPT = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
REFUSED = "密钥没有通过核验，没有登录。"


def options(browser: Browser, address: str) -> dict:
    answer = browser.post(address, headers=SCRIPT)
    assert answer.status_code == 200, answer.text
    return answer.json


def enrol(browser: Browser, synced: bool = False, name: str = "办公室密钥", **given: object) -> Authenticator:
    """Enrol a key for the signed-in account, or try to; returns the key."""
    key = Authenticator(ORIGIN, synced)
    answer = key.create(options(browser, "/keys/options/"), **given)
    browser.post("/keys/add/", data={"credential": answer, "name": name})
    return key


def use(browser: Browser, key: Authenticator, address: str = "/login/key", **given: object) -> TestResponse:
    answer = key.get(options(browser, f"{address}/options"), **given)
    return browser.post(address, data={"credential": answer, "next": "/desk/"})


def by_password(browser: Browser, username: str = "publisher") -> TestResponse:
    return browser.post("/login", data={"username": username, "password": PASSWORD, "next": "/visits/"})


def is_in(browser: Browser) -> bool:
    return browser.get("/visits/").status_code == 200


def entries(app: Flask) -> list[tuple[str, str]]:
    """(kind, words) of the log of sign-ins, in order."""
    with app.app_context(), access.everything() as session:
        rows = select(LogEntry.kind, LogEntry.words).where(LogEntry.log == "signins").order_by(LogEntry.id)
        return [tuple(row) for row in session.execute(rows)]
