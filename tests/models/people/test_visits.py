"""A visit begins with the right password and ends by itself, by its owner, or with the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.database import db
from models.people.accounts import Account
from models.people.online import resume_visit_and_commit
from models.people.sessions import Visit, end_visits, hashed
from models.workflow import Refused
from tests.cast import PASSWORD, account_of
from tests.signing_in import sign_in

HALF_AN_HOUR = timedelta(minutes=30)


WRONG = "用户名或密码不正确，请核对后重新输入；连续输错 5 次后，须等待一段时间才能再试。"


def test_the_right_password_starts_a_visit(app: Flask) -> None:
    with app.app_context():
        account = sign_in(db.session(), "publisher", PASSWORD)
        assert account.visit is not None
        token = account.get_id()
        stored = db.session.scalars(select(Visit)).one()
        assert stored.token_hash == hashed(token) != token
    with app.app_context():
        found = resume_visit_and_commit(db.session(), token, HALF_AN_HOUR)
        assert found is not None
        assert (found.username, found.get_id()) == ("publisher", token)
        assert resume_visit_and_commit(db.session(), token + "x", HALF_AN_HOUR) is None
        assert resume_visit_and_commit(db.session(), "", HALF_AN_HOUR) is None


@pytest.mark.parametrize(("username", "password"), [("publisher", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_user_name_or_password_gets_the_same_sentence(app: Flask, username: str, password: str) -> None:
    """It does not reveal whether the account exists."""
    with app.app_context():
        with pytest.raises(Refused) as refused:
            sign_in(db.session(), username, password)
        assert str(refused.value) == WRONG
        assert db.session.scalars(select(Visit)).all() == []


@pytest.mark.parametrize("of", ["account", "organisation"])
def test_a_disabled_account_gets_the_same_sentence(app: Flask, of: str) -> None:
    with app.app_context():
        token = sign_in(db.session(), "publisher", PASSWORD).get_id()
        with access.everything() as session:
            account = session.get_one(Account, account_of("publisher").id)
            row = account if of == "account" else account.organisation
            assert row is not None
            row.active = False
            session.commit()
        with pytest.raises(Refused, match=WRONG):
            sign_in(db.session(), "publisher", PASSWORD)
        assert resume_visit_and_commit(db.session(), token, HALF_AN_HOUR) is None


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, minutes: float) -> Iterator[datetime]:
    """Move the clock forward by this many minutes."""
    moment = clock.now() + timedelta(minutes=minutes)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        yield moment


def test_a_visit_ends_after_half_an_hour_without_a_request(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        token = sign_in(db.session(), "publisher", PASSWORD).get_id()
        with later(monkeypatch, 29):
            assert resume_visit_and_commit(db.session(), token, HALF_AN_HOUR) is not None
        with later(monkeypatch, 58):
            assert resume_visit_and_commit(db.session(), token, HALF_AN_HOUR) is not None
        with later(monkeypatch, 58 + 31):
            assert resume_visit_and_commit(db.session(), token, HALF_AN_HOUR) is None


def test_a_request_is_recorded_at_most_once_a_minute(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write at every request would make readers wait for writers."""
    with app.app_context():
        token = sign_in(db.session(), "publisher", PASSWORD).get_id()
        began = db.session.scalars(select(Visit)).one().seen_at
        with later(monkeypatch, 0.5):
            resume_visit_and_commit(db.session(), token, HALF_AN_HOUR)
        assert db.session.scalars(select(Visit)).one().seen_at == began
        with later(monkeypatch, 2) as moment:
            resume_visit_and_commit(db.session(), token, HALF_AN_HOUR)
        assert db.session.scalars(select(Visit)).one().seen_at == moment


def test_a_person_who_makes_requests_stays_signed_in_however_short_the_timeout(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute is the shortest that FILING_SESSION_MINUTES can be."""
    with app.app_context():
        token = sign_in(db.session(), "publisher", PASSWORD).get_id()
        for seconds in range(20, 200, 20):
            with later(monkeypatch, seconds / 60):
                assert resume_visit_and_commit(db.session(), token, timedelta(minutes=1)) is not None, seconds
        with later(monkeypatch, (180 + 61) / 60):
            assert resume_visit_and_commit(db.session(), token, timedelta(minutes=1)) is None


def test_signing_out_ends_the_visit_on_the_server(app: Flask) -> None:
    """A copy of the cookie is useless afterwards."""
    with app.app_context():
        token = sign_in(db.session(), "publisher", PASSWORD).get_id()
        stranger = sign_in(db.session(), "reviewer", PASSWORD).get_id()
        end_visits(db.session(), account_of("publisher").id)
        db.session.commit()
    with app.app_context():
        assert resume_visit_and_commit(db.session(), token, HALF_AN_HOUR) is None
        assert resume_visit_and_commit(db.session(), stranger, HALF_AN_HOUR) is not None


def test_all_other_visits_of_an_account_can_be_ended(app: Flask) -> None:
    """As when the password is changed."""
    with app.app_context():
        other = sign_in(db.session(), "publisher", PASSWORD).get_id()
        account = sign_in(db.session(), "publisher", PASSWORD)
        assert account.visit is not None
        token = account.get_id()
        end_visits(db.session(), account.id, except_for=account.visit.id)
        db.session.commit()
    with app.app_context():
        assert resume_visit_and_commit(db.session(), token, HALF_AN_HOUR) is not None
        assert resume_visit_and_commit(db.session(), other, HALF_AN_HOUR) is None
