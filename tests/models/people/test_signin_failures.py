"""Wrong passwords: whom they slow down, for how long, and what is told of them."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import clock
from models.database import db
from models.people.sessions import Visit, reset_password, sign_in, told_at_sign_in
from models.people.signin_failures import AGEING, LONGEST_PAUSE, TRIES, Place, SigninFailure, network_of
from models.workflow import Refused
from tests.cast import PASSWORD, account_of

HOME, ELSEWHERE = Place("198.51.100.7"), Place("203.0.113.9")
WAIT = "没有验证这次输入的密码"


def answer(username: str = "publisher", password: str = "wrong", place: Place = ELSEWHERE) -> str:
    """The sentence with which this is turned away; "" for whoever comes in."""
    try:
        sign_in(db.session(), username, password, place)
    except Refused as refused:
        return str(refused)
    return ""


def waits(*args: object) -> bool:
    return WAIT in answer(*args)  # type: ignore[arg-type]


class Clock:
    """The clock of the register, put forward by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        really, self.passed = clock.now, timedelta()
        monkeypatch.setattr(clock, "now", lambda: really() + self.passed)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("username", ["publisher", "nobody"])
def test_the_sixth_password_from_one_place_is_not_tried(app: Flask, username: str) -> None:
    """Whether there is such an account or not: the answers do not tell."""
    with app.app_context():
        assert [waits(username) for _time in range(TRIES + 2)] == [False] * TRIES + [True] * 2
        assert waits(username, PASSWORD)


def test_nobody_shuts_the_owner_out(app: Flask) -> None:
    """Twenty networks guess as much as they may: the owner comes in from home, and anybody else as before."""
    with app.app_context():
        for number in range(20):
            for _time in range(TRIES + 1):
                answer(place=Place(f"203.0.113.{number}"))
        assert answer("publisher", PASSWORD, HOME) == ""
        assert answer("reviewer", PASSWORD, ELSEWHERE) == ""


def test_a_known_browser_is_a_place_of_its_own(app: Flask) -> None:
    with app.app_context():
        mine = Place(ELSEWHERE.address, secrets.token_urlsafe(16))
        assert answer("publisher", PASSWORD, mine) == ""
        for _time in range(TRIES):
            answer()
        assert waits()
        assert waits("publisher", PASSWORD, Place(ELSEWHERE.address, secrets.token_urlsafe(16)))
        assert answer("publisher", PASSWORD, mine) == ""
        assert waits("publisher2") is False
        for _time in range(TRIES):  # nor has who took the browser itself any more guesses
            answer("publisher", "wrong", mine)
        assert waits("publisher", PASSWORD, mine)


def test_pauses_double_up_to_an_hour_and_failures_age(app: Flask, time: Clock) -> None:
    with app.app_context():
        for _time in range(TRIES):
            answer()
        for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
            time.passed += timedelta(minutes=minutes - 0.5)
            assert waits(), minutes
            time.passed += timedelta(minutes=0.6)
            assert not waits(), minutes
        assert waits("publisher", PASSWORD)
        time.passed += LONGEST_PAUSE
        assert answer("publisher", PASSWORD) == ""
        for _time in range(TRIES):
            answer()
        time.passed += AGEING
        assert [waits() for _time in range(TRIES)] == [False] * TRIES


def test_however_many_failures_there_are_the_pause_is_an_hour(app: Flask, time: Clock) -> None:
    """Many at the same moment, as of a machine that asks a hundred times in parallel."""
    with app.app_context():
        answer()
        one = db.session.scalars(select(SigninFailure)).one()
        same = {"name_hash": one.name_hash, "place_hash": one.place_hash, "address": "", "at": one.at}
        db.session.add_all(SigninFailure(**same) for _number in range(100))
        db.session.commit()
        time.passed += LONGEST_PAUSE - timedelta(minutes=1)
        assert waits()
        time.passed += timedelta(minutes=2)
        assert answer("publisher", PASSWORD) == ""


def test_waiting_is_not_prolonged_by_asking_again(app: Flask, time: Clock) -> None:
    with app.app_context():
        for _time in range(TRIES):
            answer()
        for _time in range(50):
            assert waits()
        time.passed += timedelta(minutes=1.1)
        assert answer("publisher", PASSWORD) == ""


def test_failures_from_a_place_are_forgotten_by_a_success_there(app: Flask) -> None:
    with app.app_context():
        for _again in range(3):
            assert [waits() for _time in range(TRIES - 1)] == [False] * (TRIES - 1)
            assert answer("publisher", PASSWORD) == ""


def test_a_password_that_is_given_out_anew_can_be_used_at_once(app: Flask) -> None:
    with app.app_context():
        for _time in range(TRIES):
            answer()
        fresh = reset_password(db.session(), account_of("publisher"))
        db.session.commit()
        assert answer("publisher", fresh) == ""


def test_guesses_at_the_same_time_count_each_other(app: Flask) -> None:
    """Twelve at once: no more of them are tried than one after the other."""

    def once(_number: int) -> bool:
        with app.app_context():
            return waits()

    with ThreadPoolExecutor(12) as together:
        slowed = list(together.map(once, range(12)))
    assert slowed.count(False) <= TRIES
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SigninFailure)) == slowed.count(False)


def test_the_owner_hears_of_failures_since_the_last_visit_and_of_no_others(app: Flask) -> None:
    with app.app_context():
        answer("publisher2")
        assert told_at_sign_in(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME)) is None
        answer()
        answer(place=HOME)
        told = told_at_sign_in(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME))
        assert told is not None
        last = db.session.scalars(select(Visit.began_at).order_by(Visit.id)).first()
        assert told.startswith(f"上次登录：{last:%Y-%m-%d %H:%M}，其间有 2 次输错密码")
        assert "来自 198.51.100.7" in told
        assert told_at_sign_in(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME)) is None


def test_who_never_signed_in_is_told_too(app: Flask) -> None:
    with app.app_context():
        answer()
        told = str(told_at_sign_in(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME)))
        assert told.startswith("首次登录之前有 1 次输错密码")


def test_no_name_that_was_typed_is_kept_readable(app: Flask) -> None:
    """People type their password into the field of the name."""
    with app.app_context():
        answer("my-Secret-2026")
        row = db.session.scalars(select(SigninFailure)).one()
        assert "ecret" not in f"{row.name_hash} {row.place_hash} {row.address}"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_a_subscriber_of_ipv6_has_one_place(address: str, network: str) -> None:
    assert network_of(address) == network
