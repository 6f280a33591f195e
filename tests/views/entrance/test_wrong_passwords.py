"""Wrong passwords delay their sender and lock out nobody else."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models.people.signin_failures import TRIES
from tests.browsing import ClientAs
from tests.cast import PASSWORD
from tests.views.entrance.typed_passwords import enter, pass_time

FROM = {"REMOTE_ADDR": "203.0.113.9"}


def guess(browser: FlaskClient, times: int, username: str = "publisher") -> list[int]:
    """Give wrong passwords from another address than the owner's; the statuses of the responses."""
    form = {"username": username, "password": "wrong-Pass-1"}
    return [browser.post("/login", data=form, environ_base=FROM).status_code for _time in range(times)]


def test_five_wrong_passwords_delay_only_their_place(client_as: ClientAs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 9, 26: formerly anybody could lock a known account permanently."""
    guesser = client_as(None)
    assert guess(guesser, TRIES - 1) == [401] * (TRIES - 1)
    form = {"username": "publisher", "password": "wrong-Pass-1"}
    fifth = guesser.post("/login", data=form, environ_base=FROM).text
    assert "用户名或密码不正确，输错次数较多，请 1 分钟后再试；忘记密码的，请联系系统管理员重置。" in fifth
    right = {"username": "publisher", "password": PASSWORD}
    slowed = guesser.post("/login", data=right, environ_base=FROM)
    assert slowed.status_code == 401
    assert "没有验证这次输入的密码，请 1 分钟后再试" in slowed.text
    assert enter(client_as(None)).status_code == 303
    pass_time(monkeypatch, minutes=1.1)
    assert guesser.post("/login", data=right, environ_base=FROM).status_code == 303


def test_a_known_browser_is_not_delayed_by_failures_from_the_same_address(client_as: ClientAs) -> None:
    """All people of an office share one address."""
    owner, neighbour = client_as(None), client_as(None)
    assert enter(owner).status_code == 303
    owner.post("/logout")
    for _guess in range(TRIES):
        enter(neighbour, password="wrong-Pass-1")
    assert "没有验证" in enter(neighbour).text
    assert enter(owner).status_code == 303


def test_a_forged_cookie_is_not_a_known_browser(client_as: ClientAs) -> None:
    guesser = client_as(None)
    statuses = []
    for number in range(TRIES + 1):
        guesser.set_cookie("filing_browser", f"{number:022}")
        statuses.append("没有验证" in enter(guesser, password="wrong-Pass-1").text)
    assert statuses == [False] * TRIES + [True]


@pytest.mark.slow
def test_the_next_sign_in_shows_a_notice_of_wrong_passwords(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = client_as(None)
    enter(owner)
    assert "上次登录" not in owner.get("/applications/").text
    owner.post("/logout")
    assert guess(client_as(None), 3) == [401] * 3
    enter(owner)
    page = owner.get("/applications/").text
    assert "上次登录：" in page
    assert "其间有 3 次输错密码" in page
    assert "来自 203.0.113.9" in page
    assert "上次登录" not in owner.get("/applications/").text
    owner.post("/logout")
    enter(owner)
    assert "输错密码" not in owner.get("/applications/").text


def test_guessing_the_current_password_is_rate_limited_too(client_as: ClientAs) -> None:
    """At an unattended screen there are five guesses, as at the login."""
    browser, new = client_as("publisher"), {"new": "mine-2026-x", "repeat": "mine-2026-x"}
    for _try in range(TRIES):
        assert "当前密码不正确" in browser.post("/password", data={"current": "wrong-Pass-1"} | new).text
    answer = browser.post("/password", data={"current": PASSWORD} | new)
    assert (answer.status_code, "没有验证这次输入的密码" in answer.text) == (422, True)


@pytest.mark.parametrize(("path", "who", "most"), [("/login", None, 60), ("/password", "publisher", 20)])
def test_a_post_without_a_token_counts_towards_the_rate_limit(
    client_as: ClientAs, path: str, who: str | None, most: int
) -> None:
    """A program that sends no token is limited as well; GET requests are not counted."""
    browser = client_as(who)
    answers = [browser.post(path, csrf=False).status_code for _try in range(most + 1)]
    assert answers == [400] * most + [429]
    assert browser.get(path).status_code == 200


@pytest.mark.slow
def test_the_sound_of_the_captcha_is_rate_limited(client_as: ClientAs) -> None:
    """Each takes a second of processor time: 20 a minute per address."""
    browser = client_as(None)
    answers = [browser.get("/captcha.wav").status_code for _ask in range(21)]
    assert (answers[0], answers[-1]) == (200, 429)


def test_wrong_passwords_count_against_one_account_in_any_spelling_of_its_name(app: Flask, client_as: ClientAs) -> None:
    """Otherwise each spelling would allow another five guesses."""
    for typed in ("publisher", "Publisher", "PUBLISHER", "ｐublisher", "publisher\u200b"):
        assert enter(client_as(None), typed, "wrong").status_code == 401
    assert "没有验证" in enter(client_as(None), "publisher").text
