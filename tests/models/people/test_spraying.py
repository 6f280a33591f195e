"""One password tried with many user names from one network: slowed in the database, which all processes share."""

import subprocess
import sys
from datetime import timedelta

import pytest
from flask import Flask

from models.people.signin_failures import NETWORK_TRIES, NETWORK_WINDOW, Place
from tests.cast import PASSWORD
from tests.models.people.test_signin_failures import Clock, answer, waits
from tests.models.people.test_signin_failures import moving_clock as moving_clock

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
from models import access
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
