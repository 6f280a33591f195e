"""The portal may sign on silently: enrolling a key requires that it has recently asked for credentials."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from models import clock
from models.sign_on import client
from tests.browsing import ClientAs
from tests.independent_portal import IndependentPortal
from tests.portal import PortalServer
from tests.views.entrance.portal_steps import link, sign_on, sign_on_silently
from tests.views.keys import SCRIPT, enrol, entries, is_in
from tests.views.screens.test_condition import condition_lines

TOO_LATE = "须在登录后 10 分钟内办理"
AGAIN = "在单一窗口重新登录"
KEY = {"name": "对账程序", "days": "30", "networks": ""}


def max_age(address: str) -> list[str]:
    return parse_qs(urlsplit(address).query)["max_age"]


def test_a_silent_sign_on_is_not_fresh_until_the_portal_has_asked_again(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    """On both databases: an open desk, and a portal that still knows who sat there."""
    link(webauthn_app, portal)
    sign_on_silently(browser := client_as(None), portal, 660)
    for page in ("/keys/", "/apikeys/"):
        assert TOO_LATE in (text := browser.get(page).text) and AGAIN in text
    assert browser.post("/apikeys/make/", data=KEY).status_code == 422
    assert browser.post("/keys/options/", headers=SCRIPT).status_code != 200
    renewal = browser.get("/login/portal?renew=1&next=/keys/").location
    assert max_age(renewal) == ["0"]
    assert portal.visitor.come(renewal, password=None) == "200"  # it asks for the password
    browser.get(portal.approve(renewal))
    assert TOO_LATE not in browser.get("/keys/").text
    assert browser.post("/apikeys/make/", data=KEY).status_code == 303


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
class TestOnSqlite:
    @pytest.mark.parametrize("auth_time", [None, 4_000_000_000, -1, 0])
    def test_a_missing_or_impossible_auth_time_makes_no_session_fresh(
        self, webauthn_app: Flask, faulty_portal: PortalServer, client_as: ClientAs, auth_time: Any
    ) -> None:
        link(webauthn_app, faulty_portal)
        faulty_portal.faults = {"auth_time": auth_time}
        sign_on(browser := client_as(None), faulty_portal)
        assert is_in(browser) and TOO_LATE in browser.get("/keys/").text

    def test_the_freshness_of_a_portal_second_factor_follows_auth_time(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        webauthn_app.config["PORTAL_LEVELS"] = "password"  # its `acr`
        link(webauthn_app, portal)
        sign_on_silently(browser := client_as(None), portal, 660)
        assert TOO_LATE in browser.get("/keys/").text

    def test_freshness_ends_ten_minutes_after_the_portal_asked_for_credentials(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link(webauthn_app, portal)
        sign_on_silently(browser := client_as(None), portal, 300)
        assert TOO_LATE not in browser.get("/keys/").text
        later = clock.now() + timedelta(minutes=6)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert TOO_LATE in browser.get("/keys/").text

    def test_max_age_is_always_requested_and_only_portal_sessions_are_renewed_there(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        assert max_age(client_as(None).get("/login/portal").location) == ["43200"]
        assert max_age(client_as(None).get("/login/portal?renew=1").location) == ["43200"]
        by_password = client_as("publisher")
        assert by_password.get("/login/portal?renew=1&next=/keys/").location == "/keys/"
        assert AGAIN not in by_password.get("/keys/").text

    def test_a_user_who_must_enrol_a_key_can_reauthenticate_at_the_portal(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        webauthn_app.config["KEYS_REQUIRED"] = True
        link(webauthn_app, portal, "reviewer")
        sign_on_silently(browser := client_as(None), portal, 660)
        assert AGAIN in browser.get("/keys/").text
        browser.get(portal.approve(browser.get("/login/portal?renew=1&next=/keys/").location))
        enrol(browser)
        assert entries(webauthn_app)[-1][0] == "key_enrolled"

    @pytest.mark.parametrize("odd", [b"[" * 100_000, b'{"access_token":"x","id_token":"a.b.c","expires_in":1e400}'])
    def test_a_malformed_token_response_is_refused_with_a_message(
        self,
        webauthn_app: Flask,
        portal: IndependentPortal,
        client_as: ClientAs,
        odd: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(client, "ask", lambda *_given, **_more: odd)
        answer = sign_on(client_as(None), portal)
        assert answer.status_code == 401 and "单一窗口的登录没有完成" in answer.text


def test_the_operator_sees_the_state_of_the_portal(
    webauthn_app: Flask, faulty_portal: PortalServer, client_as: ClientAs
) -> None:
    """运行状态: the portal is queried now, without the cached answer of an hour ago."""
    operator = client_as("operator")
    assert condition_lines(operator)["单一窗口登录"][:2] == (
        "正常", f"可以访问，公钥 1 个，公钥读于 {clock.now():%Y-%m-%d %H:%M}，还没有人从单一窗口登录",
    )  # fmt: skip
    link(webauthn_app, faulty_portal)
    sign_on(client_as(None), faulty_portal)
    assert f"最近登录 {clock.now():%Y-%m-%d %H:%M}" in condition_lines(operator)["单一窗口登录"][1]
    faulty_portal.metadata = {"issuer": "http://localhost:9"}  # another one answers there
    state, now, to_do = condition_lines(operator)["单一窗口登录"]
    assert (state, now.split("，")[0]) == ("须处理", "没有应答") and "公钥读于" in now
    assert "FILING_PORTAL_ISSUER" in to_do and "其他方式登录" in to_do
