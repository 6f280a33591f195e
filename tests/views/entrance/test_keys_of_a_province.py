"""A province requires security keys of its reviewers, where the system does not (本省设置)."""

import re

from flask import Flask

from tests.browsing import Browser, ClientAs
from tests.views.api.reading import program
from tests.views.keys import by_password, enrol, is_in
from tests.views.pages import complaints, flashed, form_of
from tests.views.screens.test_feed import events

LINE = "各省的安全密钥"


def require(browser: Browser, wanted: bool) -> str:
    """The page after saving the setting."""
    form = form_of(browser.get("/province/").text, "card-box")
    form.pop("keys_required", None)
    return browser.post(
        "/province/", data=form | ({"keys_required": "y"} if wanted else {}), follow_redirects=True
    ).text


def test_reviewers_of_that_province_alone_must_enrol_a_key(webauthn_app: Flask, client_as: ClientAs) -> None:
    webauthn_app.config["KEYS_REQUIRED"] = False
    reviewer = client_as("reviewer")
    assert is_in(reviewer), "by default the system decides"
    require(reviewer, True)
    assert reviewer.get("/review/").location == "/keys/", "at once, as nobody's password alone is enough now"
    for who in ("reviewer2", "operator", "publisher", "national"):
        browser = client_as(None)
        by_password(browser, who)
        assert is_in(browser), who
    enrol(reviewer)
    assert reviewer.get("/review/").status_code == 200
    assert "这是最后一把，没有移除" in reviewer.post("/keys/remove/", data={"id": 1}, follow_redirects=True).text
    assert "审核账号必须用安全密钥或卡登录：否 → 是" in reviewer.get("/province/").text
    page = require(reviewer, False)
    assert flashed(page) == ["已保存。"]
    later = client_as("reviewer")
    assert is_in(later)


def test_api_keys_and_calendar_addresses_made_before_stay_valid_as_the_hint_says(
    webauthn_app: Flask, client_as: ClientAs
) -> None:
    """A program cannot hold a security key; the pages of the same account are closed meanwhile."""
    webauthn_app.config["KEYS_REQUIRED"] = False
    reviewer = client_as("reviewer")
    reader, page = program(webauthn_app, "reviewer"), reviewer.post("/messages/feed/renew/", follow_redirects=True).text
    (calendar,) = re.findall(r'<code class="secret">https?://[^/]+(/.*?)</code>', page)
    assert "已生成的接口密钥和日历订阅地址照常可用" in reviewer.get("/province/").text
    require(reviewer, True)
    assert reviewer.get("/review/").location == "/keys/"
    assert reader.items() == []
    assert events(Browser(webauthn_app), calendar) == []


def test_it_is_refused_where_no_browser_can_use_a_key(app: Flask, client_as: ClientAs) -> None:
    """Or nobody of the province could sign in any more."""
    app.config["BASE_URL"] = "http://127.0.0.1:8000"
    page = require(client_as("reviewer"), True)
    assert any("不支持安全密钥" in words for words in (*flashed(page), *complaints(page)))
    assert is_in(client_as("reviewer"))


def test_without_an_address_for_keys_they_are_no_longer_required_and_the_operator_is_warned(
    webauthn_app: Flask, client_as: ClientAs
) -> None:
    """Or its reviewers could not sign in to untick it."""
    webauthn_app.config["KEYS_REQUIRED"] = False
    reviewer = client_as("reviewer")
    require(reviewer, True)
    assert reviewer.get("/review/").location == "/keys/"
    assert LINE not in client_as("operator").get("/condition/").text
    webauthn_app.config["BASE_URL"] = "https://192.0.2.7"
    assert reviewer.get("/review/").status_code == 200
    page = client_as("operator").get("/condition/").text
    assert LINE in page and "目前密码即可登录：江苏省" in page
    assert flashed(require(reviewer, False)) == ["已保存。"]
    assert LINE not in client_as("operator").get("/condition/").text
