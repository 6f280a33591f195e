"""A program that reads /api/ with a key."""

from typing import Any

from flask import Flask
from werkzeug.test import Client, TestResponse

from models import access
from models.database import db
from models.people import api_keys
from models.people.api_keys import Wish
from tests.cast import account_of

LIST = "/api/v1/applications"


class Program:
    """`program.get(address)` with its key, and no cookie."""

    def __init__(self, app: Flask, token: str | None, address: str = "127.0.0.1") -> None:
        self.client, self.token, self.address = Client(app, use_cookies=False), token, address

    def get(self, address: str, method: str = "GET", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        return self.client.open(
            address, method=method, headers=headers | more, environ_base={"REMOTE_ADDR": self.address}
        )

    def items(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.get(LIST + query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.get_json()["items"]
        return found


def token_of(app: Flask, username: str, name: str = "综合业务系统", days: int = 90, networks: str = "") -> str:
    """Create an API key for this account, and commit; returns its token."""
    with app.app_context():
        access.enter(by := account_of(username))
        _key, token = api_keys.make(db.session(), by, Wish(name, days, networks))
        db.session.commit()
    return token


def program(app: Flask, username: str) -> Program:
    return Program(app, token_of(app, username))
