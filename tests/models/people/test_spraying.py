"""One password tried with many user names from one network: slowed in the database, which all processes share."""

import subprocess
import sys
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, text

from models import access, clock
from models.database import db
from models.notifications.password_reset import reset_password
from models.people import online, signin_failures
from models.people.signin_failures import NETWORK_TRIES, NETWORK_WINDOW, TRIES, Place, SigninFailure
from tests.cast import PASSWORD, account_of
from tests.models.people.test_signin_failures import Clock, answer, waits
from tests.models.people.test_signin_failures import moving_clock as moving_clock
from tests.views.panel.test_plans import plan, statements

ATTACKER, OFFICE = Place("203.0.113.9"), Place("198.51.100.7")


def spray(place: Place, names: int = NETWORK_TRIES) -> list[bool]:
    """Whether each of so many unknown names had to wait."""
    return [waits(f"name{number}", "Sommer-2026", place) for number in range(names)]


def test_a_network_that_fails_with_many_names_must_wait_with_any_other(app: Flask, moving_clock: Clock) -> None:
    with app.app_context():
        assert spray(ATTACKER) == [False] * NETWORK_TRIES
        assert waits("publisher", PASSWORD, ATTACKER), "the right password is not tried either"
        assert waits("name99", "Sommer-2026", ATTACKER)
        assert answer("publisher", PASSWORD, OFFICE) == "", "only that network waits"
        moving_clock.passed = NETWORK_WINDOW - timedelta(minutes=1)
        assert waits("publisher", PASSWORD, ATTACKER)
        moving_clock.passed = NETWORK_WINDOW + timedelta(minutes=1)
        assert answer("publisher", PASSWORD, ATTACKER) == "", "attempts meanwhile have not prolonged it"


def test_known_accounts_of_a_paused_network_can_still_sign_in(app: Flask) -> None:
    """Those who have signed in there before, in any browser, and known browsers from anywhere."""
    known_place = Place(ATTACKER.address, browser="mine")
    with app.app_context():
        assert answer("agent", PASSWORD, Place(OFFICE.address, browser="mine")) == ""
        assert answer("publisher", PASSWORD, ATTACKER) == ""
        spray(ATTACKER)
        assert answer("publisher", PASSWORD, ATTACKER) == ""
        assert answer("agent", PASSWORD, known_place) == ""
        assert waits("national", PASSWORD, ATTACKER)


def test_who_waits_because_of_others_reads_so_and_is_not_sent_to_reset_a_password(app: Flask) -> None:
    with app.app_context():
        spray(ATTACKER)
        words = "该网络一小时内输错密码较多，没有验证这次输入的密码，请 60 分钟后再试，或换用其他网络。"
        assert answer("publisher", PASSWORD, ATTACKER) == words


@pytest.mark.parametrize("way", ["reset", "unlock"])
def test_an_operator_releases_one_account_from_the_pause_for_as_long_as_it_may_last(
    app: Flask, moving_clock: Clock, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    few = 3
    monkeypatch.setattr(signin_failures, "NETWORK_TRIES", few)
    with app.app_context():
        for _time in range(TRIES):
            answer("publisher", "wrong", OFFICE)
        spray(ATTACKER, few)
        password = PASSWORD
        with access.everything() as session:
            account = account_of("publisher", session)
            if way == "reset":
                password = reset_password(session, account)
            else:
                online.unlock(session, account, account_of("operator", session), Place())
            session.commit()
        assert waits("agent", PASSWORD, ATTACKER), "only that account"
        moving_clock.passed = NETWORK_WINDOW + timedelta(minutes=5)
        spray(ATTACKER, few)
        assert waits("publisher", password, ATTACKER), "an hour later it is over"
        moving_clock.passed = NETWORK_WINDOW - timedelta(minutes=5)
        assert answer("publisher", password, ATTACKER) == ""


def test_failures_of_a_network_are_found_by_an_index(app: Flask) -> None:
    with app.app_context():
        answer("publisher", "wrong", ATTACKER)
        with statements(app) as asked:
            answer("agent", "wrong", ATTACKER)
        with db.engine.connect() as connection:
            one = {"at": clock.now(), "address": "192.0.2.1"}
            elsewhere = [one | {"name_hash": f"n{number}", "place_hash": f"p{number}"} for number in range(3000)]
            connection.execute(insert(SigninFailure), elsewhere)
            connection.execute(text("ANALYZE signin_failure"))  # without rows of elsewhere any index would do
            plans = [plan(connection, *each) for each in asked if "name_hash !=" in each[0]]
    assert len(plans) == 1
    assert "ix_signin_failure_place_hash_at" in plans[0]


def test_an_account_exempt_from_the_pause_of_its_network_is_still_slowed_by_its_own_failures(app: Flask) -> None:
    with app.app_context():
        assert answer("publisher", PASSWORD, ATTACKER) == ""
        spray(ATTACKER)
        assert [waits("publisher", "wrong", ATTACKER) for _time in range(6)] == [False] * 5 + [True]


OTHER_PROCESS = """
import sys
from app import create_app
from models.database import db
from models.people.sessions import attempt_sign_in
from models.log import Place
from models.workflow import Refused
from models import access, clock
app = create_app({"SQLALCHEMY_DATABASE_URI": sys.argv[1], "SECRET_KEY": "x", "STORE": "/nowhere"})
with app.app_context(), access.everything() as session:
    try:
        attempt_sign_in(session, "publisher", sys.argv[2], Place("203.0.113.9"))
    except Refused as refused:
        print(refused)
"""


@pytest.mark.slow
def test_another_process_counts_the_same_failures(app: Flask) -> None:
    with app.app_context():
        spray(ATTACKER)
    command = [sys.executable, "-c", OTHER_PROCESS, app.config["SQLALCHEMY_DATABASE_URI"], PASSWORD]
    done = subprocess.run(command, cwd=app.root_path, capture_output=True, text=True, check=True)
    assert "没有验证这次输入的密码" in done.stdout, done.stderr
