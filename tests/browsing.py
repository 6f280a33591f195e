"""A test client in which an account is signed in."""

import secrets
from collections.abc import Callable
from typing import Any

import flask
from flask import Flask
from flask.testing import FlaskClient
from flask_login import login_user
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from models import access, clock
from models.database import db
from models.people.sessions import Visit, attach_visit, hashed
from tests.cast import account_of

SAFE = {"GET", "HEAD", "OPTIONS"}


class Browser(FlaskClient):
    """Sends the CSRF token with every unsafe request, as our pages do; `csrf=False` leaves it out."""

    def open(self, *args: Any, csrf: bool = True, **options: Any) -> TestResponse:
        assert not flask.has_app_context(), "leave act_as() first: a request inside it would share its session"
        if csrf and options.get("method", "GET") not in SAFE:
            headers = Headers(options.pop("headers", None))
            headers.setdefault("X-CSRFToken", self._token())
            options["headers"] = headers
        return super().open(*args, **options)

    def _token(self) -> str:
        with self.session_transaction() as session:
            secret = session.setdefault("csrf_token", secrets.token_hex())
        return str(URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token").dumps(secret))


ClientAs = Callable[[str | None], Browser]


def signed_in(app: Flask, username: str | None) -> Browser:
    """A test client in which this account is signed in; None: without an account."""
    browser = Browser(app)
    if username is None:
        return browser
    with app.test_request_context(environ_base=browser.environ_base):
        account = account_of(username)
        visit = Visit(account_id=account.id, began_at=clock.now(), seen_at=clock.now())
        visit.token_hash = hashed(token := secrets.token_urlsafe(32))
        with access.everything() as everything:
            everything.add(visit)
            everything.commit()
        attach_visit(db.session(), account, token)
        login_user(account)
        values = dict(flask.session)
    with browser.session_transaction() as session:
        session.update(values)
    return browser
