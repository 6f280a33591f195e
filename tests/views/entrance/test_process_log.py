"""The JSON lines of the log of the process, where the database cannot be asked."""

import json
import logging
from typing import Any

from flask import Flask, g
from flask_login import AnonymousUserMixin
from sqlalchemy import event

from models.database import db
from models.people.accounts import Account
from tests.cast import account_of
from views.entrance.process_log import formatter


def line_of(user: Any) -> dict[str, Any]:
    if user is not None:
        g._login_user = user
    record = logging.LogRecord("filing", logging.ERROR, __file__, 1, "the database does not answer", None, None)
    return dict(json.loads(formatter().format(record)))


def test_a_log_line_names_the_account_without_a_query(app: Flask) -> None:
    """Also of an account that a commit, or a lost connection, has expired."""
    asked: list[str] = []
    with app.test_request_context("/"):
        account: Account = account_of("publisher")
        key = account.id
        event.listen(db.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
        db.session.expire_all()
        assert line_of(account)["account"] == key
        db.session.expunge_all()
        assert line_of(account)["account"] == key
        assert line_of(AnonymousUserMixin())["account"] is None
    assert asked == []
