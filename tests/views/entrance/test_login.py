"""Sign-in, sessions, password change, and endpoints closed without sign-in."""

import pytest
from flask import Flask
from sqlalchemy import select

from models.database import db
from models.people.signin_failures import SigninFailure
from tests.browsing import ClientAs
from tests.cast import PASSWORD
from tests.views.entrance.typed_passwords import BEHIND, SAME, change, enter, is_in


def test_the_right_password_signs_in_and_redirects_to_the_requested_page(client_as: ClientAs) -> None:
    browser = client_as(None)
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


def test_the_login_page_redirects_a_signed_in_user(client_as: ClientAs) -> None:
    assert client_as("publisher").get("/login?next=/password").location == "/password"


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
def test_login_redirects_only_to_local_paths(client_as: ClientAs) -> None:
    """AD13: an external `next` is not followed, in any spelling."""
    came_to = {target: enter(client_as(None), next=target).location for target in LEADS_TO}
    assert came_to == LEADS_TO
    inside = client_as("publisher")
    assert {target: inside.get("/login", query_string={"next": target}).location for target in LEADS_TO} == LEADS_TO


@pytest.mark.slow
def test_an_unknown_name_and_a_wrong_password_get_the_same_page(client_as: ClientAs) -> None:
    wrong_password, unknown = enter(client_as(None), password="wrong-Pass-1"), enter(client_as(None), username="nobody")
    for answer in (wrong_password, unknown):
        assert answer.status_code == 401
        assert SAME in answer.text
    assert 'value="nobody"' in unknown.text


@pytest.mark.slow
def test_no_user_name_breaks_the_login(client_as: ClientAs) -> None:
    for username in ("publisher\0", "x" * 5000, "<script>alert(1)</script>", "𠮷' OR 1=1 --"):
        answer = enter(client_as(None), username, "wrong-Pass-1")
        assert answer.status_code == 401
        assert SAME in answer.text
        assert "<script>alert" not in answer.text


def test_empty_fields_show_an_error_and_no_password_is_checked(app: Flask, client_as: ClientAs) -> None:
    """ST7: every POST works with an empty body. The first wrong field has the focus."""
    answer = client_as(None).post("/login", data={"username": "publisher"})
    assert answer.status_code == 401
    assert '<p class="wrong" id="password-wrong" role="alert">请填写密码。</p>' in answer.text
    assert 'aria-describedby="password-wrong" aria-invalid="true" autofocus' in answer.text
    assert 'value="publisher"' in answer.text
    assert "novalidate" in answer.text
    empty = client_as(None).post("/login").text
    assert ("请填写用户名。" in empty, "请填写密码。" in empty, empty.count("autofocus")) == (True, True, 1)
    with app.app_context():
        assert db.session.scalars(select(SigninFailure)).all() == []


def test_every_page_requires_sign_in(client_as: ClientAs) -> None:
    for address in ("/", "/applications/", "/review/", "/accounts/", BEHIND):
        assert client_as(None).get(address).location.startswith("/login?next=/")
        script = client_as(None).get(address, headers={"X-Requested-With": "XMLHttpRequest"})
        assert script.status_code == 401
        assert "请重新登录" in script.json["message"]


def test_an_anonymous_post_is_refused_and_not_redirected(client_as: ClientAs) -> None:
    assert client_as(None).post(BEHIND).status_code == 401
    assert client_as(None).post(BEHIND, csrf=False).status_code == 401


def test_favicon_ico_is_the_emblem(client_as: ClientAs) -> None:
    """Browsers request it for a PDF in its own window."""
    answer = client_as(None).get("/favicon.ico")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.data == client_as(None).get("/assets/emblem.svg").data


@pytest.mark.slow
def test_only_listed_endpoints_are_public(app: Flask, client_as: ClientAs) -> None:
    """Closed by default: a new endpoint requires sign-in until PUBLIC lists it."""
    stranger, open_doors = client_as(None), set()
    arguments = {
        "filename": "entrance/all.css",
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
        "language", "status_list", "witnessed",
        "api.openapi", "api.key", "api.list_applications", "api.show_application", "api.list_certificates",
        "api.show_certificate", "api.changed_applications", "api.changed_certificates", "api.count_statistics",
    }  # fmt: skip


def test_the_first_login_requires_a_new_password(app: Flask, client_as: ClientAs) -> None:
    change(app, "publisher", must_change=True)
    browser = client_as(None)
    enter(browser)
    for address in ("/", "/applications/"):
        assert browser.get(address).location == "/password"
    assert browser.post("/applications/submit/", data={"id": 1}).location == "/password"
    assert "初始密码" in browser.get("/password").text
    assert browser.get("/assets/entrance/all.css").status_code == 200
    changed = browser.post("/password", data={"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"})
    assert changed.location == "/"
    assert browser.get("/").location != "/password"
    assert SAME in enter(client_as(None)).text
    assert enter(client_as(None), password="mine-2026-x").status_code == 303


def test_a_user_who_must_change_the_password_can_log_out(app: Flask, client_as: ClientAs) -> None:
    change(app, "publisher", must_change=True)
    browser = client_as("publisher")
    assert browser.post("/logout").location == "/login"
    assert not is_in(browser)


@pytest.mark.slow
def test_a_password_change_follows_its_rules(client_as: ClientAs) -> None:
    browser = client_as("publisher")
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
    assert enter(client_as(None)).status_code == 303


def test_a_user_name_is_accepted_in_any_spelling(app: Flask, client_as: ClientAs) -> None:
    for typed in ("Publisher", "ＰＵＢＬＩＳＨＥＲ", " publisher\u200b", "\u202epublisher"):
        assert is_in(opened := client_as(None)) is False
        assert enter(opened, typed).status_code == 303, typed
        assert is_in(opened)


def test_an_account_renamed_by_the_upgrade_signs_in_by_its_former_name(app: Flask, client_as: ClientAs) -> None:
    """`Publisher` and `publisher` were two accounts: both still sign in, until the operator disables one."""
    change(app, "reviewer", former_username="Publisher")
    assert enter(client_as(None), "Publisher").location == "/"
    for typed, name in (("Publisher", "陈静"), ("reviewer", "陈静"), ("publisher", "王敏"), ("PUBLISHER", "王敏")):
        browser = client_as(None)
        assert enter(browser, typed).status_code == 303
        assert name in browser.get("/password").text, typed
    change(app, "reviewer", active=False)
    browser = client_as(None)
    assert enter(browser, "Publisher").status_code == 303
    assert "王敏" in browser.get("/password").text
