"""Rate limit of wrong passwords: by place and name, its duration, and the notice to the owner."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import access, clock
from models.database import db
from models.notifications.password_reset import reset_password
from models.people import signin_failures
from models.people.accounts import Account
from models.people.online import resume_visit_and_commit
from models.people.sessions import Visit
from models.people.sign_in_notices import failures_notice
from models.people.signin_failures import AGEING, LONGEST_PAUSE, TRIES, Place, SigninFailure, network_of
from models.workflow import Refused
from tests.cast import PASSWORD, account_of
from tests.signing_in import sign_in

HOME, ELSEWHERE = Place("198.51.100.7"), Place("203.0.113.9")
WAIT = "没有验证这次输入的密码"


def answer(username: str = "publisher", password: str = "wrong", place: Place = ELSEWHERE) -> str:
    """The sentence of the refusal; "" when the sign-in succeeds."""
    try:
        sign_in(db.session(), username, password, place)
    except Refused as refused:
        return str(refused)
    return ""


def waits(*args: object) -> bool:
    return WAIT in answer(*args)  # type: ignore[arg-type]


class Clock:
    """A clock that the test moves forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        really, self.passed = clock.now, timedelta()
        monkeypatch.setattr(clock, "now", lambda: really() + self.passed)


@pytest.fixture
def moving_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("username", ["publisher", "nobody"])
def test_the_sixth_password_from_one_place_is_not_tried(app: Flask, username: str) -> None:
    """The same whether the account exists or not."""
    with app.app_context():
        assert [waits(username) for _time in range(TRIES + 2)] == [False] * TRIES + [True] * 2
        assert waits(username, PASSWORD)


@pytest.mark.slow
def test_guessing_does_not_lock_out_the_owner(app: Flask) -> None:
    """Twenty networks guess up to the limit: the owner still signs in from home."""
    with app.app_context():
        for number in range(20):
            for _time in range(TRIES + 1):
                answer(place=Place(f"203.0.113.{number}"))
        assert answer("publisher", PASSWORD, HOME) == ""
        assert answer("reviewer", PASSWORD, ELSEWHERE) == ""


def test_a_known_browser_has_its_own_failure_count(app: Flask) -> None:
    with app.app_context():
        place = Place(ELSEWHERE.address, secrets.token_urlsafe(16))
        assert answer("publisher", PASSWORD, place) == ""
        for _time in range(TRIES):
            answer()
        assert waits()
        assert waits("publisher", PASSWORD, Place(ELSEWHERE.address, secrets.token_urlsafe(16)))
        assert answer("publisher", PASSWORD, place) == ""
        assert waits("publisher2") is False
        for _time in range(TRIES):  # nor has who took the browser itself any more guesses
            answer("publisher", "wrong", place)
        assert waits("publisher", PASSWORD, place)


@pytest.mark.slow
def test_pauses_double_up_to_an_hour_and_failures_age(app: Flask, moving_clock: Clock) -> None:
    with app.app_context():
        for _time in range(TRIES):
            answer()
        for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
            moving_clock.passed += timedelta(minutes=minutes - 0.5)
            assert waits(), minutes
            moving_clock.passed += timedelta(minutes=0.6)
            assert not waits(), minutes
        assert waits("publisher", PASSWORD)
        moving_clock.passed += LONGEST_PAUSE
        assert answer("publisher", PASSWORD) == ""
        for _time in range(TRIES):
            answer()
        moving_clock.passed += AGEING
        assert [waits() for _time in range(TRIES)] == [False] * TRIES


@pytest.mark.slow
def test_the_pause_is_at_most_an_hour_after_any_number_of_failures(app: Flask, moving_clock: Clock) -> None:
    """Many at the same moment, as from a hundred parallel requests."""
    with app.app_context():
        answer()
        one = db.session.scalars(select(SigninFailure)).one()
        same = {"name_hash": one.name_hash, "place_hash": one.place_hash, "address": "", "at": one.at, "is_wrong": True}
        db.session.add_all(SigninFailure(**same) for _number in range(100))
        db.session.commit()
        moving_clock.passed += LONGEST_PAUSE - timedelta(minutes=1)
        assert waits()
        moving_clock.passed += timedelta(minutes=2)
        assert answer("publisher", PASSWORD) == ""


@pytest.mark.slow
def test_attempts_during_the_pause_do_not_prolong_it(app: Flask, moving_clock: Clock) -> None:
    with app.app_context():
        for _time in range(TRIES):
            answer()
        for _time in range(50):
            assert waits()
        moving_clock.passed += timedelta(minutes=1.1)
        assert answer("publisher", PASSWORD) == ""


def test_a_successful_sign_in_clears_the_failures_of_its_place(app: Flask) -> None:
    with app.app_context():
        for _again in range(3):
            assert [waits() for _time in range(TRIES - 1)] == [False] * (TRIES - 1)
            assert answer("publisher", PASSWORD) == ""


def test_an_attempt_interrupted_by_a_crash_does_not_count_as_a_wrong_password(app: Flask, moving_clock: Clock) -> None:
    """While it may still be verified it counts, so that parallel guesses are limited; a minute later it does not."""
    with app.app_context():
        for _time in range(TRIES):
            signin_failures.record_attempt_and_commit(db.session(), "publisher", HOME, known_browser=False)
        assert waits("publisher", PASSWORD, HOME)
        moving_clock.passed += timedelta(minutes=1.1)
        account = sign_in(db.session(), "publisher", PASSWORD, HOME)
        assert failures_notice(db.session(), account) is None
        for _time in range(TRIES):
            assert not waits("publisher", "wrong", HOME)
        assert waits("publisher", PASSWORD, HOME)


@pytest.mark.parametrize("ahead", [timedelta(minutes=50), timedelta(days=30)])
def test_failures_with_a_future_time_are_ignored(app: Flask, moving_clock: Clock, ahead: timedelta) -> None:
    with app.app_context():
        moving_clock.passed += ahead
        for _time in range(TRIES + 3):
            answer()
        moving_clock.passed -= ahead
        assert answer("publisher", PASSWORD) == ""


def test_a_pause_is_at_most_an_hour_after_the_clock_was_set_back(app: Flask, moving_clock: Clock) -> None:
    with app.app_context():
        moving_clock.passed += timedelta(seconds=50)
        for _time in range(TRIES):
            answer()
        moving_clock.passed -= timedelta(seconds=50)
        assert "请 1 分钟后再试" in answer()


def test_a_session_with_a_future_time_is_refused(app: Flask, moving_clock: Clock) -> None:
    """The clock was set back by hours, so the age of the session is unknown. Some seconds do not matter."""
    with app.app_context():
        visit = sign_in(db.session(), "publisher", PASSWORD, HOME).visit
        assert visit is not None
        for back, accepted in ((timedelta(seconds=30), True), (timedelta(hours=10), False)):
            moving_clock.passed = -back
            found = resume_visit_and_commit(db.session(), visit.token, timedelta(minutes=30))
            assert (found is not None) is accepted


def test_a_reset_password_can_be_used_at_once(app: Flask) -> None:
    with app.app_context():
        for _time in range(TRIES):
            answer()
        with access.everything() as session:
            fresh = reset_password(session, session.get_one(Account, account_of("publisher").id))
            session.commit()
        assert answer("publisher", fresh) == ""


def test_parallel_attempts_count_each_other(app: Flask) -> None:
    """Of twelve at once no more are tried than in sequence."""

    def once(_number: int) -> bool:
        with app.app_context():
            return waits()

    with ThreadPoolExecutor(12) as together:
        slowed = list(together.map(once, range(12)))
    assert slowed.count(False) <= TRIES
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SigninFailure)) == slowed.count(False)


def test_the_notice_reports_failures_since_the_last_visit_only(app: Flask) -> None:
    with app.app_context():
        answer("publisher2")
        assert failures_notice(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME)) is None
        answer()
        answer(place=HOME)
        notice = str(failures_notice(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME)))
        last = db.session.scalars(select(Visit.began_at).order_by(Visit.id)).first()
        assert notice.startswith(f"上次登录：{last:%Y-%m-%d %H:%M}，来自 198.51.100.7。其间有 2 次输错密码")
        assert "来自 198.51.100.7" in notice
        assert failures_notice(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME)) is None


def test_the_notice_is_also_given_at_the_first_sign_in(app: Flask) -> None:
    with app.app_context():
        answer()
        notice = str(failures_notice(db.session(), sign_in(db.session(), "publisher", PASSWORD, HOME)))
        assert notice.startswith("首次登录之前有 1 次输错密码")


def test_typed_user_names_are_stored_as_hashes(app: Flask) -> None:
    """People type their password into the name field by mistake."""
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
def test_the_addresses_of_one_ipv6_subscriber_count_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
