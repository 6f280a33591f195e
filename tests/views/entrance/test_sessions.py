"""A session: how it begins, what ends it, and what does not."""

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.database import db
from models.notifications.password_reset import reset_password
from models.people.accounts import Account
from models.people.sessions import Visit
from tests.browsing import ClientAs
from tests.cast import PASSWORD
from tests.views.entrance.typed_passwords import BEHIND, SAME, change, enter, is_in, pass_time
from tests.views.pages import flashed


def test_a_session_ends_after_twelve_hours_regardless_of_activity(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client_as("publisher")
    for _time in range(24):
        assert is_in(browser)
        pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=25)
    assert "登录已超时" in browser.get(browser.get(BEHIND).location).text


def test_a_page_of_another_account_begins_no_visit(app: Flask, client_as: ClientAs) -> None:
    """Signing in as another account in the dialog over a page."""
    with app.app_context():
        other = db.session.scalars(select(Account.id).where(Account.username == "reviewer")).one()
    headers = {"X-Account": str(other), "X-Requested-With": "XMLHttpRequest"}
    answer = client_as(None).post("/login", data={"username": "publisher", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 401
    with app.app_context():
        assert db.session.scalars(select(Visit)).all() == []


def test_a_login_starts_a_new_session(app: Flask, client_as: ClientAs) -> None:
    """Session fixation: a cookie from before the login is useless after it."""
    browser, planted = client_as(None), client_as(None)
    browser.get("/login")
    with browser.session_transaction() as session:
        before = dict(session)
    with planted.session_transaction() as session:
        session.update(before)
    enter(browser)
    with browser.session_transaction() as session:
        assert session.get("csrf_token") != before["csrf_token"]
    assert is_in(browser)
    assert not is_in(planted)


def test_the_session_cookie_is_http_only(client_as: ClientAs) -> None:
    cookie = enter(client_as(None)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_another_address_or_user_agent_does_not_end_the_session(client_as: ClientAs) -> None:
    browser = client_as("publisher")
    moved = browser.get(BEHIND, environ_base={"REMOTE_ADDR": "203.0.113.9"}, headers={"User-Agent": "another"})
    assert moved.status_code == 200


def test_logging_out_ends_the_visit_on_the_server(app: Flask, client_as: ClientAs) -> None:
    browser, copy = client_as("publisher"), client_as(None)
    with browser.session_transaction() as session:
        former = dict(session)
    with copy.session_transaction() as session:
        session.update(former)
    assert is_in(copy)
    out = browser.post("/logout")
    assert out.status_code == 303
    assert "已安全退出" in browser.get(out.location).text
    assert not is_in(browser)
    assert not is_in(copy)


def test_logging_out_of_an_expired_session_shows_no_timeout(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """退出 after the timeout, in a second tab, or twice: the login page says 已安全退出."""
    browser = client_as("publisher")
    pass_time(monkeypatch, minutes=31)
    for _time in range(2):
        out = browser.post("/logout")
        assert (out.status_code, out.location) == (303, "/login")
        page = browser.get(out.location).text
        assert "已安全退出" in page
        assert "超时" not in page
    assert "超时" not in browser.get("/login").text


def test_logout_requires_post(client_as: ClientAs) -> None:
    browser = client_as("publisher")
    assert browser.get("/logout").status_code == 405
    assert is_in(browser)


def test_half_an_hour_without_a_request_ends_the_session(client_as: ClientAs, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = client_as("publisher")
    pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=31)
    sent = browser.get(BEHIND)
    assert sent.location == "/login?next=/password"
    assert "登录已超时" in browser.get(sent.location).text


def test_a_disabled_account_is_signed_out_at_once(app: Flask, client_as: ClientAs) -> None:
    browser = client_as("publisher")
    change(app, "publisher", active=False)
    sent = browser.get(BEHIND)
    assert "账号已停用，不能继续办理" in browser.get(sent.location).text
    assert SAME in enter(client_as(None)).text


def test_the_login_page_says_that_the_session_was_ended_elsewhere(app: Flask, client_as: ClientAs) -> None:
    """Not that time has run out: a password was changed, or reset. A script hears the same."""
    browser, elsewhere, script = client_as("publisher"), client_as("publisher"), client_as("publisher")
    new = {"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"}
    assert elsewhere.post("/password", data=new).status_code == 303
    page = browser.get(browser.get(BEHIND).location).text
    assert "密码已修改，或已在别处退出" in page
    assert "超时" not in page
    found = script.get(BEHIND, headers={"X-Requested-With": "XMLHttpRequest"})
    assert (found.status_code, "密码已修改，或已在别处退出" in found.json["message"]) == (401, True)
    with app.app_context(), access.everything() as session:
        reset_password(session, session.scalars(select(Account).filter_by(username="publisher")).one())
        session.commit()
    assert "密码已由系统管理员重置" in elsewhere.get(elsewhere.get(BEHIND).location).text


def test_a_new_password_ends_the_other_visits(client_as: ClientAs) -> None:
    here, elsewhere = client_as("publisher"), client_as("publisher")
    here.post("/password", data={"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"})
    assert is_in(here)
    assert not is_in(elsewhere)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_new_password_says_which_secrets_of_programs_end_with_the_old_one(client_as: ClientAs) -> None:
    """Before and after the change, and only what the account has."""
    owner, other = client_as("reviewer"), client_as("publisher")
    owner.post("/messages/feed/renew/")
    owner.post("/apikeys/make/", data={"name": "综合业务", "days": "90", "networks": ""})
    assert "修改后，现有的日历订阅地址、接口密钥失效，仍需使用的须重新生成。" in owner.get("/password").text
    assert "仍需使用" not in other.get("/password").text
    new = {"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"}
    done = "密码已修改，其他设备上的登录已退出。"
    ended = "原来的日历订阅地址、接口密钥已失效，仍需使用的请重新生成。"
    assert flashed(owner.post("/password", data=new, follow_redirects=True).text)[-2:] == [done, ended]
    assert flashed(other.post("/password", data=new, follow_redirects=True).text)[-1:] == [done]
    assert "目前没有订阅地址" in owner.get("/messages/feed/").text
    assert "还没有接口密钥" in owner.get("/apikeys/").text
