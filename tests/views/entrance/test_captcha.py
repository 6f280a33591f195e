"""验证码 at sign-in: picture, sound, accepted once; and the login page in a real browser."""

import io
import subprocess
import wave
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from models import clock
from models.database import db
from models.people.sessions import Visit
from models.people.spent_challenges import SpentChallenge
from tests.browsing import ClientAs
from tests.cast import PASSWORD
from views.entrance import captcha


def enter(browser: FlaskClient, code: str, password: str = PASSWORD) -> TestResponse:
    return browser.post("/login", data={"username": "publisher", "password": password, "code": code})


def shown_code(app: Flask, browser: FlaskClient) -> str:
    """Fetch a new picture; its digits."""
    assert browser.get("/captcha.png?new").data.startswith(b"\x89PNG")
    with browser.session_transaction() as session, app.app_context():
        return captcha.digits_of(session["challenge"][0])


def wrong(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def count(app: Flask, model: type[Visit] | type[SpentChallenge]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    later = clock.now() + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: later)


def test_the_password_is_checked_after_a_right_code(captcha_app: Flask, client_as: ClientAs) -> None:
    browser = client_as(None)
    assert 'name="code"' in browser.get("/login").text
    assert enter(browser, code=shown_code(captcha_app, browser)).status_code == 303


def test_full_width_digits_are_accepted(captcha_app: Flask, client_as: ClientAs) -> None:
    browser = client_as(None)
    wide = shown_code(captcha_app, browser).translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert enter(browser, code=f" {wide} ").status_code == 303


def test_the_password_is_not_checked_after_a_wrong_code(captcha_app: Flask, client_as: ClientAs) -> None:
    browser = client_as(None)
    for typed in ("", "abc", "一二三四五", "0" * 5000, "123456", "-1", "1e4"):
        shown_code(captcha_app, browser)
        answer = enter(browser, password="wrong-Pass-1", code=typed)
        assert ("验证码不正确" if typed else "请填写验证码。") in answer.text
        assert 'id="code-wrong"' in answer.text
        assert 'value="publisher"' in answer.text
    assert enter(browser, code=shown_code(captcha_app, browser)).status_code == 303  # not locked: nothing was tried


def test_a_code_is_accepted_once_even_when_the_cookie_is_replayed(captcha_app: Flask, client_as: ClientAs) -> None:
    browser, replaying = client_as(None), client_as(None)
    code = shown_code(captcha_app, browser)
    with browser.session_transaction() as session:
        old_session = dict(session)
    assert enter(browser, password="wrong-Pass-1", code=code).status_code == 401
    for _again in range(2):
        with replaying.session_transaction() as session:
            session.update(old_session)
        again = enter(replaying, code=code)
        assert again.status_code == 401
        assert "验证码已过期" in again.text
    assert count(captcha_app, SpentChallenge) == 1


def test_a_wrong_answer_uses_up_the_code(captcha_app: Flask, client_as: ClientAs) -> None:
    browser = client_as(None)
    code = shown_code(captcha_app, browser)
    with browser.session_transaction() as session:
        challenge = session["challenge"]
    enter(browser, code=wrong(code))
    with browser.session_transaction() as session:
        session["challenge"] = challenge
    assert "验证码已过期" in enter(browser, code=code).text


def test_a_code_is_valid_for_two_minutes(
    captcha_app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client_as(None)
    code = shown_code(captcha_app, browser)
    pass_time(monkeypatch, seconds=119)
    assert enter(browser, password="wrong-Pass-1", code=code).text.count("用户名或密码不正确") == 1
    code = shown_code(captcha_app, browser)
    pass_time(monkeypatch, seconds=121)
    assert "验证码已过期" in enter(browser, code=code).text


def test_static_files_do_not_overwrite_the_captcha_cookie(
    captcha_app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time-out the page loads style sheets and the picture at once: none may re-send the old session cookie."""
    browser = client_as("publisher")
    with browser.session_transaction() as session:
        session.permanent = True
    pass_time(monkeypatch, seconds=31 * 60)
    browser.get(browser.get("/password").location)
    assert "Set-Cookie" not in browser.get("/assets/entrance/all.css").headers
    assert enter(browser, code=shown_code(captcha_app, browser)).status_code == 303


def test_a_code_without_a_challenge_is_refused(captcha_app: Flask, client_as: ClientAs) -> None:
    assert "验证码已过期" in enter(client_as(None), code="12345").text


@pytest.mark.slow
def test_fetching_a_picture_writes_nothing_on_the_server(captcha_app: Flask, client_as: ClientAs) -> None:
    browser = client_as(None)
    for address in ("/login", "/captcha.png?new", "/captcha.png", "/captcha.wav"):
        assert browser.get(address).status_code == 200
    assert count(captcha_app, SpentChallenge) == count(captcha_app, Visit) == 0


def test_each_new_picture_has_a_new_code_and_a_reloaded_one_the_same(captcha_app: Flask, client_as: ClientAs) -> None:
    browser = client_as(None)
    first = shown_code(captcha_app, browser)
    with browser.session_transaction() as session:
        challenge = session["challenge"]
    browser.get("/captcha.png")
    with browser.session_transaction() as session:
        assert session["challenge"] == challenge
    second = shown_code(captcha_app, browser)
    assert first != second
    assert "验证码不正确" in enter(browser, code=first).text


@pytest.mark.slow
def test_sound_and_picture_have_the_same_digits(
    captcha_app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client_as(None)
    code, spoken, sound = shown_code(captcha_app, browser), [], captcha.sound

    def recording_sound(digits: str) -> io.BytesIO:
        spoken.append(digits)
        return sound(digits)

    monkeypatch.setattr(captcha, "sound", recording_sound)
    answer = browser.get("/captcha.wav")
    assert spoken == [code]
    with wave.open(io.BytesIO(answer.data)) as recording:
        assert recording.getnframes() / recording.getframerate() > 2
    assert enter(browser, code=code).status_code == 303


@pytest.mark.slow
def test_the_sound_consists_of_the_digits_made_by_setup(
    captcha_app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No program is started for a request; without them the package's English digits are heard."""
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    for place, chinese in ((Path(captcha_app.instance_path), True), (tmp_path, False)):
        captcha._speaker.cache_clear()
        monkeypatch.setattr(captcha_app, "instance_path", str(place))
        with captcha_app.app_context():
            assert captcha.sound("0123456789").read(4) == b"RIFF"
            assert (Path(captcha._speaker()._voicedir) == place / "voices") is chinese
    captcha._speaker.cache_clear()


@pytest.mark.parametrize("digit", "0123456789")
def test_setup_makes_each_digit_in_two_pitches(captcha_app: Flask, digit: str) -> None:
    files = sorted((Path(captcha_app.instance_path) / "voices" / digit).iterdir())
    assert [file.name for file in files] == ["35.wav", "55.wav"], "run `make setup`"
    for file in files:
        with wave.open(str(file)) as spoken:
            assert spoken.getparams()[:3] == (1, 1, 8000), "one channel, 8 bits: as the package mixes them"
            assert 0.3 < spoken.getnframes() / 8000 < 2


def test_the_code_cannot_be_read_from_the_cookie(captcha_app: Flask, client_as: ClientAs) -> None:
    """The cookie is signed, not encrypted: the digits depend on the server's key."""
    browser = client_as(None)
    code = shown_code(captcha_app, browser)
    with browser.session_transaction() as session:
        nonce = session["challenge"][0]
    assert code not in str(dict(session))
    captcha_app.secret_key = "another key"
    with captcha_app.app_context():
        assert captcha.digits_of(nonce) != code
