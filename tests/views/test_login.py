"""The front door: who gets in, for how long, and what is shut behind it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import func, select
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from models import clock
from models.accounts import TRIES, Account, SpentChallenge, Visit
from models.db import db
from tests.cast import PASSWORD
from views import challenge

As = Callable[[str | None], FlaskClient]
BEHIND = "/password"  # a page behind the door that everybody has
SAME = "用户名或密码不正确"


@pytest.fixture
def asking(app: Flask) -> Flask:
    """The application with 验证码 switched on."""
    app.config["CAPTCHA"] = True
    return app


def enter(browser: FlaskClient, username: str = "publisher", password: str = PASSWORD, **more: str) -> TestResponse:
    return browser.post("/login", data={"username": username, "password": password, **more})


def is_in(browser: FlaskClient) -> bool:
    return browser.get(BEHIND).status_code == 200


def shown_code(app: Flask, browser: FlaskClient) -> str:
    """What a person reads in the picture they have just been shown."""
    assert browser.get("/captcha.png?new").data.startswith(b"\x89PNG")
    with browser.session_transaction() as session, app.app_context():
        return challenge.answer(session["challenge"][0])


def wrong(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def count(app: Flask, model: type[Visit] | type[SpentChallenge]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def change(app: Flask, username: str, **values: object) -> None:
    with app.app_context():
        account = db.session.scalars(select(Account).where(Account.username == username)).one()
        for name, value in values.items():
            setattr(account, name, value)
        db.session.commit()


def pass_time(monkeypatch: pytest.MonkeyPatch, **how_long: float) -> None:
    later = clock.now() + timedelta(**how_long)
    monkeypatch.setattr(clock, "now", lambda: later)


def test_the_right_pair_opens_the_door_and_leads_where_one_wanted_to_go(as_: As) -> None:
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


def test_who_is_in_already_is_not_asked_again(as_: As) -> None:
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


def test_login_leads_only_to_paths_of_our_own(as_: As) -> None:
    """AD13: an external `next` is not followed, however it is written."""
    came_to = {target: enter(as_(None), next=target).location for target in LEADS_TO}
    assert came_to == LEADS_TO
    inside = as_("publisher")
    assert {target: inside.get("/login", query_string={"next": target}).location for target in LEADS_TO} == LEADS_TO


def test_an_unknown_name_and_a_wrong_password_read_the_same(as_: As) -> None:
    wrong_password, unknown = enter(as_(None), password="wrong-Pass-1"), enter(as_(None), username="nobody")
    for answer in (wrong_password, unknown):
        assert answer.status_code == 401
        assert SAME in answer.text
    assert 'value="nobody"' in unknown.text


def test_no_user_name_breaks_the_login(as_: As) -> None:
    for username in ("", "publisher\0", "x" * 5000, "<script>alert(1)</script>", "𠮷' OR 1=1 --"):
        answer = enter(as_(None), username, "wrong-Pass-1")
        assert answer.status_code == 401
        assert SAME in answer.text
        assert "<script>alert" not in answer.text


def test_an_empty_form_is_refused_with_the_same_sentence(as_: As) -> None:
    """ST7: every POST works with an empty body."""
    answer = as_(None).post("/login")
    assert answer.status_code == 401
    assert SAME in answer.text


def test_five_wrong_passwords_lock_the_account_for_ten_minutes(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = as_(None)
    for _try in range(TRIES):
        assert SAME in enter(browser, password="wrong-Pass-1").text
    locked = enter(browser)
    assert locked.status_code == 401
    assert "已临时锁定" in locked.text
    pass_time(monkeypatch, minutes=11)
    assert enter(browser).status_code == 303


def test_a_login_starts_a_new_session(app: Flask, as_: As) -> None:
    """A cookie that somebody planted before the login is worth nothing after it."""
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


def test_the_session_cookie_is_out_of_reach_of_scripts(as_: As) -> None:
    cookie = enter(as_(None)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_another_address_or_browser_does_not_throw_one_out(as_: As) -> None:
    browser = as_("publisher")
    moved = browser.get(BEHIND, environ_base={"REMOTE_ADDR": "203.0.113.9"}, headers={"User-Agent": "another"})
    assert moved.status_code == 200


def test_logging_out_ends_the_visit_on_the_server(app: Flask, as_: As) -> None:
    browser, copy = as_("publisher"), as_(None)
    with browser.session_transaction() as session:
        kept = dict(session)
    with copy.session_transaction() as session:
        session.update(kept)
    assert is_in(copy)
    out = browser.post("/logout")
    assert out.status_code == 303
    assert "已安全退出" in browser.get(out.location).text
    assert not is_in(browser)
    assert not is_in(copy)


def test_a_link_cannot_log_anybody_out(as_: As) -> None:
    browser = as_("publisher")
    assert browser.get("/logout").status_code == 405
    assert is_in(browser)


def test_half_an_hour_without_a_click_ends_the_session(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = as_("publisher")
    pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=29)
    assert is_in(browser)
    pass_time(monkeypatch, minutes=31)
    sent = browser.get(BEHIND)
    assert sent.location == "/login?next=/password"
    assert "登录已超时" in browser.get(sent.location).text


def test_a_disabled_account_is_out_at_once(app: Flask, as_: As) -> None:
    browser = as_("publisher")
    change(app, "publisher", active=False)
    assert not is_in(browser)
    assert SAME in enter(as_(None)).text


def test_everything_is_shut_to_a_stranger(as_: As) -> None:
    for address in ("/", "/applications/", "/review/", "/accounts/", BEHIND):
        assert as_(None).get(address).location.startswith("/login?next=/")
        script = as_(None).get(address, headers={"X-Requested-With": "XMLHttpRequest"})
        assert script.status_code == 401
        assert "请重新登录" in script.json["message"]


def test_what_a_stranger_sends_is_refused_and_not_led_to_the_login(as_: As) -> None:
    assert as_(None).post(BEHIND).status_code == 401
    assert as_(None).post(BEHIND, csrf=False).status_code == 401


def test_the_open_doors_are_these(app: Flask, as_: As) -> None:
    """Closed by default: a new address is shut until PUBLIC names it."""
    stranger, open_doors = as_(None), set()
    arguments = {"filename": "public.css", "number": "Z322026000001X", "action": "print", "export_type": "csv"}
    for rule in (rule for rule in app.url_map.iter_rules() if "GET" in rule.methods):
        address = rule.build({name: arguments.get(name, "1") for name in rule.arguments})[1]
        if not (stranger.get(address).location or "").startswith("/login"):
            open_doors.add(rule.endpoint)
    assert {door for door in open_doors if not door.startswith("verify.")} == {
        "login", "picture", "sound", "health", "static", "admin.static",
    }  # fmt: skip


def test_the_first_login_leads_to_a_password_of_ones_own(app: Flask, as_: As) -> None:
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


def test_whoever_must_change_the_password_can_still_leave(app: Flask, as_: As) -> None:
    change(app, "publisher", must_change=True)
    browser = as_("publisher")
    assert browser.post("/logout").location == "/login"
    assert not is_in(browser)


def test_a_password_is_changed_only_as_the_rules_say(as_: As) -> None:
    browser = as_("publisher")
    for current, new, repeat, sentence in (
        ("wrong-Pass-1", "mine-2026-x", "mine-2026-x", "当前密码不正确"),
        (PASSWORD, "mine-2026-x", "mine-2026-y", "不一致"),
        (PASSWORD, PASSWORD, PASSWORD, "不能与当前密码相同"),
        (PASSWORD, "short1", "short1", "密码至少 10 位"),
        (PASSWORD, "onlyletters", "onlyletters", "密码至少 10 位"),
        ("", "", "", "当前密码不正确"),
    ):
        answer = browser.post("/password", data={"current": current, "new": new, "repeat": repeat})
        assert answer.status_code == 422
        assert sentence in answer.text
    assert enter(as_(None)).status_code == 303


def test_a_new_password_ends_the_other_visits(as_: As) -> None:
    here, elsewhere = as_("publisher"), as_("publisher")
    here.post("/password", data={"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"})
    assert is_in(here)
    assert not is_in(elsewhere)


def test_the_right_code_lets_the_password_be_tried(asking: Flask, as_: As) -> None:
    browser = as_(None)
    assert 'name="code"' in browser.get("/login").text
    assert enter(browser, code=shown_code(asking, browser)).status_code == 303


def test_wide_digits_of_a_chinese_keyboard_count_as_digits(asking: Flask, as_: As) -> None:
    browser = as_(None)
    wide = shown_code(asking, browser).translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert enter(browser, code=f" {wide} ").status_code == 303


def test_a_wrong_code_never_tries_the_password(asking: Flask, as_: As) -> None:
    browser = as_(None)
    for typed in ("", "abc", "一二三四五", "0" * 5000, "123456", "-1", "1e4"):
        shown_code(asking, browser)
        answer = enter(browser, password="wrong-Pass-1", code=typed)
        assert "验证码不正确" in answer.text
        assert 'value="publisher"' in answer.text
    assert enter(browser, code=shown_code(asking, browser)).status_code == 303  # not locked: nothing was tried


def test_a_code_counts_once_even_when_the_cookie_is_played_back(asking: Flask, as_: As) -> None:
    browser, replaying = as_(None), as_(None)
    code = shown_code(asking, browser)
    with browser.session_transaction() as session:
        kept = dict(session)
    assert enter(browser, password="wrong-Pass-1", code=code).status_code == 401
    for _again in range(2):
        with replaying.session_transaction() as session:
            session.update(kept)
        again = enter(replaying, code=code)
        assert again.status_code == 401
        assert "验证码已过期" in again.text
    assert count(asking, SpentChallenge) == 1


def test_a_wrong_answer_spends_the_code_too(asking: Flask, as_: As) -> None:
    browser = as_(None)
    code = shown_code(asking, browser)
    with browser.session_transaction() as session:
        kept = session["challenge"]
    enter(browser, code=wrong(code))
    with browser.session_transaction() as session:
        session["challenge"] = kept
    assert "验证码已过期" in enter(browser, code=code).text


def test_a_code_is_good_for_two_minutes(asking: Flask, as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = as_(None)
    code = shown_code(asking, browser)
    pass_time(monkeypatch, seconds=119)
    assert enter(browser, password="wrong-Pass-1", code=code).text.count(SAME) == 1
    code = shown_code(asking, browser)
    pass_time(monkeypatch, seconds=121)
    assert "验证码已过期" in enter(browser, code=code).text


def test_what_a_page_loads_beside_the_picture_does_not_undo_its_code(
    asking: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time-out, style sheets are answered while the picture is: none may send the cookie back as it was."""
    browser = as_("publisher")
    with browser.session_transaction() as session:
        session.permanent = True
    pass_time(monkeypatch, minutes=31)
    browser.get(browser.get(BEHIND).location)
    assert "Set-Cookie" not in browser.get("/assets/public.css").headers
    assert enter(browser, code=shown_code(asking, browser)).status_code == 303


def test_no_code_was_shown_and_none_is_accepted(asking: Flask, as_: As) -> None:
    assert "验证码已过期" in enter(as_(None), code="12345").text


def test_looking_at_a_code_changes_nothing_on_the_server(asking: Flask, as_: As) -> None:
    browser = as_(None)
    for address in ("/login", "/captcha.png?new", "/captcha.png", "/captcha.wav"):
        assert browser.get(address).status_code == 200
    assert count(asking, SpentChallenge) == count(asking, Visit) == 0


def test_another_picture_is_another_code_and_the_same_picture_the_same(asking: Flask, as_: As) -> None:
    browser = as_(None)
    first = shown_code(asking, browser)
    with browser.session_transaction() as session:
        kept = session["challenge"]
    browser.get("/captcha.png")
    with browser.session_transaction() as session:
        assert session["challenge"] == kept
    second = shown_code(asking, browser)
    assert first != second
    assert "验证码不正确" in enter(browser, code=first).text


def test_the_voice_says_what_the_picture_shows(asking: Flask, as_: As) -> None:
    browser = as_(None)
    code = shown_code(asking, browser)
    heard = browser.get("/captcha.wav")
    assert heard.mimetype == "audio/wav"
    with asking.app_context():
        assert heard.data == challenge.sound(code).read()
        assert heard.data != challenge.sound(wrong(code)).read()
    assert enter(browser, code=code).status_code == 303


def test_a_player_may_fetch_the_voice_in_pieces(asking: Flask, as_: As) -> None:
    browser = as_(None)
    browser.get("/captcha.png?new")
    whole = browser.get("/captcha.wav").data
    piece = browser.get("/captcha.wav", headers={"Range": "bytes=100-199"})
    assert piece.status_code == 206
    assert piece.data == whole[100:200]


def test_the_code_cannot_be_read_from_the_cookie(asking: Flask, as_: As) -> None:
    """The cookie is signed, not secret: the answer follows from the server's key."""
    browser = as_(None)
    code = shown_code(asking, browser)
    with browser.session_transaction() as session:
        nonce = session["challenge"][0]
    assert code not in str(dict(session))
    asking.secret_key = "another key"
    with asking.app_context():
        assert challenge.answer(nonce) != code


@pytest.fixture
def page(asking: Flask) -> Iterator[Page]:
    """A real browser before the login page; whatever its console complains of fails the test."""
    server = make_server("127.0.0.1", 0, asking, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{server.port}")
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/login", wait_until="networkidle")
        yield page
        browser.close()
    server.shutdown()
    assert complaints == []


def test_in_a_browser_the_code_can_be_changed_and_heard_and_the_password_seen(page: Page) -> None:
    before = page.get_attribute("#picture", "src")
    page.fill("#code", "123")
    with page.expect_response("**/captcha.png?new*") as drawn:
        page.click("text=看不清？换一张")
    assert drawn.value.ok
    assert page.get_attribute("#picture", "src") != before
    assert page.input_value("#code") == ""
    expect(page.locator("#told")).to_contain_text("已更换")
    with page.expect_response("**/captcha.wav*") as spoken:
        page.click("text=听验证码")
    assert spoken.value.ok
    page.evaluate("() => new Promise((heard) => { document.querySelector('#voice').ontimeupdate = heard; })")
    assert page.evaluate("document.querySelector('#voice').duration") > 2
    page.fill("#password", "demo")
    page.click("[aria-label=显示密码]")
    assert page.get_attribute("#password", "type") == "text"
    page.click("[aria-label=显示密码]")
    assert page.get_attribute("#password", "type") == "password"


def test_on_a_telephone_nothing_of_the_login_is_cut_off(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    for field in ("#username", "#password", "#code", "#picture", "button[type=submit]"):
        box = page.locator(field).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 44
