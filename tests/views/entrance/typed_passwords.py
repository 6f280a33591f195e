"""Sign-in with typed passwords, and the time after it."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import access, clock
from models.people.accounts import Account
from tests.cast import PASSWORD


def enter(browser: FlaskClient, username: str = "publisher", password: str = PASSWORD, **more: str) -> TestResponse:
    return browser.post("/login", data={"username": username, "password": password, **more})


def pass_time(monkeypatch: pytest.MonkeyPatch, **how_long: float) -> None:
    later = clock.now() + timedelta(**how_long)
    monkeypatch.setattr(clock, "now", lambda: later)


BEHIND = "/password"  # a page that every signed-in account may open


SAME = "用户名或密码不正确"


def is_in(browser: FlaskClient) -> bool:
    return browser.get(BEHIND).status_code == 200


def change(app: Flask, username: str, **values: object) -> None:
    with app.app_context(), access.everything() as session:
        account = session.scalars(select(Account).where(Account.username == username)).one()
        for name, value in values.items():
            setattr(account, name, value)
        session.commit()
