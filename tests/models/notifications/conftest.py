"""Colleagues of the cast."""

from collections.abc import Callable

import pytest
from flask import Flask

from models.database import db
from models.people.accounts import Account
from tests.cast import account_of


@pytest.fixture
def colleague(app: Flask) -> Callable[..., None]:
    """`colleague("second", like="publisher")`: another account of the same role, unit and province."""

    def added(username: str, like: str, active: bool = True) -> None:
        with app.app_context():
            other = account_of(like)
            same = {"role": other.role, "organisation": other.organisation, "province": other.province}
            person = Account(username=username, name=username, active=active, password_hash="", **same)
            person.must_change = False
            db.session.add(person)
            db.session.commit()

    return added
