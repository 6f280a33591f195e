"""Sign-in, sessions, password change, and endpoints closed without sign-in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import clock
from models.database import db
from models.people.accounts import Account
from models.people.revocation import reset_password
from models.people.sessions import Visit
from models.people.signin_failures import TRIES, SigninFailure
from tests.cast import PASSWORD

As = Callable[[str | None], FlaskClient]
BEHIND = "/password"  # a page behind the door that everybody has
SAME = "用户名或密码不正确"


def enter(browser: FlaskClient, username: str = "publisher", password: str = PASSWORD, **more: str) -> TestResponse:
    return browser.post("/login", data={"username": username, "password": password, **more})


def is_in(browser: FlaskClient) -> bool:
    return browser.get(BEHIND).status_code == 200


def change(app: Flask, username: str, **values: object) -> None:
    with app.app_context():
        account = db.session.scalars(select(Account).where(Account.username == username)).one()
        for name, value in values.items():
            setattr(account, name, value)
        db.session.commit()


def pass_time(monkeypatch: pytest.MonkeyPatch, **how_long: float) -> None:
    later = clock.now() + timedelta(**how_long)
    monkeypatch.setattr(clock, "now", lambda: later)


def test_the_right_password_signs_in_and_redirects_to_the_requested_page(as_: As) -> None:
    browser = as_(None)
    sent = browser.get("/register/?title=京剧")
    assert sent.status_code == 302
    assert sent.location.startswith("/login?next=/register/?title%3D")
    page = browser.get(sent.location)
    assert "用户名" in page.text
    assert "密码" in page.text
    opened = enter(browser, "national", next="/register/?title=京剧")
    assert opened.status_code == 303
    assert opened.location == "/register/?title=%E4%BA%AC%E5%89%A7"
    assert is_in(browser)


def test_the_login_page_redirects_who_is_signed_in(as_: As) -> None:
    assert as_("publisher").get("/login?next=/password").location == "/password"


LEADS_TO = {
    "/review/?status=pending": "/review/?status=pending",
    "https://evil.example/": "/",
    "http:evil.example": "/",
    "//evil.example/": "/",
    "///evil.example/": "/",
    "/\\evil.example/": "/",
    "\\\\evil.example/": "/",
    "/\t/evil.example/": "/",
    "/\n/evil.example/": "/",
    " /review/": "/",
    "javascript:alert(1)": "/",
    "review/": "/",
    "": "/",
}


@pytest.mark.slow
def test_login_redirects_only_to_local_paths(as_: As) -> None:
    """AD13: an external `next` is not followed, however it is written."""
    came_to = {target: enter(as_(None), next=target).location for target in LEADS_TO}
    assert came_to == LEADS_TO
    inside = as_("publisher")
    assert {target: inside.get("/login", query_string={"next": target}).location for target in LEADS_TO} == LEADS_TO


@pytest.mark.slow
def test_an_unknown_name_and_a_wrong_password_get_the_same_page(as_: As) -> None:
    wrong_password, unknown = enter(as_(None), password="wrong-Pass-1"), enter(as_(None), username="nobody")
    for answer in (wrong_password, unknown):
        assert answer.status_code == 401
        assert SAME in answer.text
    assert 'value="nobody"' in unknown.text


@pytest.mark.slow
def test_no_user_name_breaks_the_login(as_: As) -> None:
    for username in ("publisher\0", "x" * 5000, "<script>alert(1)</script>", "𠮷' OR 1=1 --"):
        answer = enter(as_(None), username, "wrong-Pass-1")
        assert answer.status_code == 401
        assert SAME in answer.text
        assert "<script>alert" not in answer.text


def test_what_is_not_filled_in_is_told_beside_its_field_and_no_password_is_tried(app: Flask, as_: As) -> None:
    """ST7: every POST works with an empty body. The words are ours; the first wrong field has the focus."""
    answer = as_(None).post("/login", data={"username": "publisher"})
    assert answer.status_code == 401
    assert '<p class="wrong" id="password-wrong" role="alert">请填写密码。</p>' in answer.text
    assert 'aria-describedby="password-wrong" aria-invalid="true" autofocus' in answer.text
    assert 'value="publisher"' in answer.text
    assert "novalidate" in answer.text
    empty = as_(None).post("/login").text
    assert ("请填写用户名。" in empty, "请填写密码。" in empty, empty.count("autofocus")) == (True, True, 1)
    with app.app_context():
        assert db.session.scalars(select(SigninFailure)).all() == []


FROM = {"REMOTE_ADDR": "203.0.113.9"}


def guess(browser: FlaskClient, times: int, username: str = "publisher") -> list[int]:
    """Give wrong passwords from another address than the owner's; the statuses of the responses."""
    form = {"username": username, "password": "wrong-Pass-1"}
    return [browser.post("/login", data=form, environ_base=FROM).status_code for _time in range(times)]


def test_five_wrong_passwords_delay_only_their_place(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 9, 26: formerly anybody could keep a known account locked."""
    guesser = as_(None)
    assert guess(guesser, TRIES - 1) == [401] * (TRIES - 1)
    form = {"username": "publisher", "password": "wrong-Pass-1"}
    fifth = guesser.post("/login", data=form, environ_base=FROM).text
    assert "用户名或密码不正确，输错次数较多，请 1 分钟后再试；忘记密码的，请联系系统管理员重置。" in fifth
    right = {"username": "publisher", "password": PASSWORD}
    slowed = guesser.post("/login", data=right, environ_base=FROM)
    assert slowed.status_code == 401
    assert "没有验证这次输入的密码，请 1 分钟后再试" in slowed.text
    assert enter(as_(None)).status_code == 303
    pass_time(monkeypatch, minutes=1.1)
    assert guesser.post("/login", data=right, environ_base=FROM).status_code == 303


def test_a_known_browser_is_not_delayed_by_failures_from_the_same_address(as_: As) -> None:
    """All people of an office share one address."""
    owner, neighbour = as_(None), as_(None)
    assert enter(owner).status_code == 303
    owner.post("/logout")
    for _guess in range(TRIES):
        enter(neighbour, password="wrong-Pass-1")
    assert "没有验证" in enter(neighbour).text
    assert enter(owner).status_code == 303


def test_a_forged_cookie_is_not_a_known_browser(as_: As) -> None:
    guesser = as_(None)
    statuses = []
    for number in range(TRIES + 1):
        guesser.set_cookie("filing_browser", f"{number:022}")
        statuses.append("没有验证" in enter(guesser, password="wrong-Pass-1").text)
    assert statuses == [False] * TRIES + [True]


@pytest.mark.slow
def test_the_next_sign_in_shows_a_notice_of_wrong_passwords(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = as_(None)
    enter(owner)
    assert "上次登录" not in owner.get("/applications/").text
    owner.post("/logout")
    assert guess(as_(None), 3) == [401] * 3
    enter(owner)
    page = owner.get("/applications/").text
    assert "上次登录：" in page
    assert "其间有 3 次输错密码" in page
    assert "来自 203.0.113.9" in page
    assert "上次登录" not in owner.get("/applications/").text
    owner.post("/logout")
    enter(owner)
    assert "输错密码" not in owner.get("/applications/").text


def test_a_session_ends_after_twelve_hours_regardless_of_activity(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = as_("publisher")
    for _time in range(24):
        assert is_in(browser)
        pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=25)
    assert "登录已超时" in browser.get(browser.get(BEHIND).location).text


def test_a_page_of_another_account_begins_no_visit(app: Flask, as_: As) -> None:
    """Whoever signs in as somebody else in the dialog over a page."""
    with app.app_context():
        other = db.session.scalars(select(Account.id).where(Account.username == "reviewer")).one()
    headers = {"X-Account": str(other), "X-Requested-With": "XMLHttpRequest"}
    answer = as_(None).post("/login", data={"username": "publisher", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 401
    with app.app_context():
        assert db.session.scalars(select(Visit)).all() == []


def test_a_login_starts_a_new_session(app: Flask, as_: As) -> None:
    """Session fixation: a cookie from before the login is useless after it."""
    browser, planted = as_(None), as_(None)
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


def test_the_session_cookie_is_http_only(as_: As) -> None:
    cookie = enter(as_(None)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_another_address_or_user_agent_does_not_end_the_session(as_: As) -> None:
    browser = as_("publisher")
    moved = browser.get(BEHIND, environ_base={"REMOTE_ADDR": "203.0.113.9"}, headers={"User-Agent": "another"})
    assert moved.status_code == 200


def test_logging_out_ends_the_visit_on_the_server(app: Flask, as_: As) -> None:
    browser, copy = as_("publisher"), as_(None)
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


def test_logging_out_of_an_expired_session_shows_no_timeout(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    """退出 after the timeout, in a second tab, or twice: the login page says 已安全退出."""
    browser = as_("publisher")
    pass_time(monkeypatch, minutes=31)
    for _time in range(2):
        out = browser.post("/logout")
        assert (out.status_code, out.location) == (303, "/login")
        page = browser.get(out.location).text
        assert "已安全退出" in page
        assert "超时" not in page
    assert "超时" not in browser.get("/login").text


def test_logout_requires_post(as_: As) -> None:
    browser = as_("publisher")
    assert browser.get("/logout").status_code == 405
    assert is_in(browser)


def test_half_an_hour_without_a_request_ends_the_session(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = as_("publisher")
    pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=31)
    sent = browser.get(BEHIND)
    assert sent.location == "/login?next=/password"
    assert "登录已超时" in browser.get(sent.location).text


def test_a_disabled_account_is_signed_out_at_once(app: Flask, as_: As) -> None:
    browser = as_("publisher")
    change(app, "publisher", active=False)
    sent = browser.get(BEHIND)
    assert "账号已停用，不能继续办理" in browser.get(sent.location).text
    assert SAME in enter(as_(None)).text


def test_a_session_that_was_ended_elsewhere_says_so(app: Flask, as_: As) -> None:
    """Not that time has run out: a password was changed, or reset. A script hears the same."""
    browser, elsewhere, script = as_("publisher"), as_("publisher"), as_("publisher")
    new = {"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"}
    assert elsewhere.post("/password", data=new).status_code == 303
    page = browser.get(browser.get(BEHIND).location).text
    assert "密码已修改，或已在别处退出" in page
    assert "超时" not in page
    told = script.get(BEHIND, headers={"X-Requested-With": "XMLHttpRequest"})
    assert (told.status_code, "密码已修改，或已在别处退出" in told.json["message"]) == (401, True)
    with app.app_context():
        reset_password(db.session(), db.session.scalars(select(Account).filter_by(username="publisher")).one())
        db.session.commit()
    assert "密码已由系统管理员重置" in elsewhere.get(elsewhere.get(BEHIND).location).text


def test_every_page_requires_sign_in(as_: As) -> None:
    for address in ("/", "/applications/", "/review/", "/accounts/", BEHIND):
        assert as_(None).get(address).location.startswith("/login?next=/")
        script = as_(None).get(address, headers={"X-Requested-With": "XMLHttpRequest"})
        assert script.status_code == 401
        assert "请重新登录" in script.json["message"]


def test_an_anonymous_post_is_refused_and_not_redirected(as_: As) -> None:
    assert as_(None).post(BEHIND).status_code == 401
    assert as_(None).post(BEHIND, csrf=False).status_code == 401


def test_favicon_ico_is_the_emblem(as_: As) -> None:
    """Browsers request it for a PDF in its own window."""
    answer = as_(None).get("/favicon.ico")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.data == as_(None).get("/assets/emblem.svg").data


@pytest.mark.slow
def test_the_public_endpoints(app: Flask, as_: As) -> None:
    """Closed by default: a new endpoint requires sign-in until PUBLIC lists it."""
    stranger, open_doors = as_(None), set()
    arguments = {
        "filename": "public.css",
        "number": "Z322026000001X",
        "action": "print",
        "act": "resend",
        "export_type": "csv",
    }
    for rule in (rule for rule in app.url_map.iter_rules() if "GET" in rule.methods):
        address = rule.build({name: arguments.get(name, "1") for name in rule.arguments})[1]
        if not (stranger.get(address).location or "").startswith("/login"):
            open_doors.add(rule.endpoint)
    assert {door for door in open_doors if not door.startswith("verify.")} == {
        "login", "key_login", "card_login", "picture", "sound", "health", "icon", "feed", "static", "admin.static",
    }  # fmt: skip


def test_the_first_login_requires_a_new_password(app: Flask, as_: As) -> None:
    change(app, "publisher", must_change=True)
    browser = as_(None)
    enter(browser)
    for address in ("/", "/applications/"):
        assert browser.get(address).location == "/password"
    assert browser.post("/applications/submit/", data={"id": 1}).location == "/password"
    assert "初始密码" in browser.get("/password").text
    assert browser.get("/assets/public.css").status_code == 200
    changed = browser.post("/password", data={"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"})
    assert changed.location == "/"
    assert browser.get("/").location != "/password"
    assert SAME in enter(as_(None)).text
    assert enter(as_(None), password="mine-2026-x").status_code == 303


def test_who_must_change_the_password_can_still_log_out(app: Flask, as_: As) -> None:
    change(app, "publisher", must_change=True)
    browser = as_("publisher")
    assert browser.post("/logout").location == "/login"
    assert not is_in(browser)


@pytest.mark.slow
def test_the_rules_of_changing_a_password(as_: As) -> None:
    browser = as_("publisher")
    for current, new, repeat, sentence in (
        ("wrong-Pass-1", "mine-2026-x", "mine-2026-x", "当前密码不正确"),
        (PASSWORD, "mine-2026-x", "mine-2026-y", "不一致"),
        (PASSWORD, PASSWORD, PASSWORD, "不能与当前密码相同"),
        (PASSWORD, "short1", "short1", "密码至少 10 位"),
        (PASSWORD, "aaaaaaaaa1", "aaaaaaaaa1", "容易被猜到"),
        (PASSWORD, "publisher2026", "publisher2026", "容易被猜到"),
        ("", "", "", "请填写当前密码。"),
    ):
        answer = browser.post("/password", data={"current": current, "new": new, "repeat": repeat})
        assert answer.status_code == 422
        assert sentence in answer.text
    assert enter(as_(None)).status_code == 303


def test_guessing_the_current_password_is_rate_limited_too(as_: As) -> None:
    """At an unattended screen there are five guesses, as at the login."""
    browser, new = as_("publisher"), {"new": "mine-2026-x", "repeat": "mine-2026-x"}
    for _try in range(TRIES):
        assert "当前密码不正确" in browser.post("/password", data={"current": "wrong-Pass-1"} | new).text
    answer = browser.post("/password", data={"current": PASSWORD} | new)
    assert (answer.status_code, "没有验证这次输入的密码" in answer.text) == (422, True)


@pytest.mark.parametrize(("path", "who", "most"), [("/login", None, 60), ("/password", "publisher", 20)])
def test_a_post_counts_before_its_token_is_looked_for(as_: As, path: str, who: str | None, most: int) -> None:
    """A program that sends no token is told to wait as well; and reading the page is not counted."""
    browser = as_(who)
    answers = [browser.post(path, csrf=False).status_code for _try in range(most + 1)]
    assert answers == [400] * most + [429]
    assert browser.get(path).status_code == 200


@pytest.mark.slow
def test_the_sound_of_the_captcha_is_rate_limited(as_: As) -> None:
    """Each takes a second of processor time: 20 a minute per address."""
    browser = as_(None)
    answers = [browser.get("/captcha.wav").status_code for _ask in range(21)]
    assert (answers[0], answers[-1]) == (200, 429)


def test_a_new_password_ends_the_other_visits(as_: As) -> None:
    here, elsewhere = as_("publisher"), as_("publisher")
    here.post("/password", data={"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"})
    assert is_in(here)
    assert not is_in(elsewhere)


def test_a_user_name_is_accepted_in_any_spelling(app: Flask, as_: As) -> None:
    for typed in ("Publisher", "ＰＵＢＬＩＳＨＥＲ", " publisher\u200b", "\u202epublisher"):
        assert is_in(opened := as_(None)) is False
        assert enter(opened, typed).status_code == 303, typed
        assert is_in(opened)


def test_wrong_passwords_count_against_one_account_however_its_name_is_typed(app: Flask, as_: As) -> None:
    """Otherwise each spelling would allow another five guesses."""
    for typed in ("publisher", "Publisher", "PUBLISHER", "ｐublisher", "publisher\u200b"):
        assert enter(as_(None), typed, "wrong").status_code == 401
    assert "没有验证" in enter(as_(None), "publisher").text


def test_an_account_renamed_by_the_upgrade_signs_in_by_its_former_name(app: Flask, as_: As) -> None:
    """`Publisher` and `publisher` were two people: each goes on as before, until the operator disables one."""
    change(app, "reviewer", former_username="Publisher")
    assert enter(as_(None), "Publisher").location == "/"
    for typed, name in (("Publisher", "陈静"), ("reviewer", "陈静"), ("publisher", "王敏"), ("PUBLISHER", "王敏")):
        browser = as_(None)
        assert enter(browser, typed).status_code == 303
        assert name in browser.get("/password").text, typed
    change(app, "reviewer", active=False)
    browser = as_(None)
    assert enter(browser, "Publisher").status_code == 303
    assert "王敏" in browser.get("/password").text
