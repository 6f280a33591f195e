"""Forged, swapped or replayed portal messages sign nobody in and end no session.

A conforming portal where it can send them; `faulty_portal` for what it never sends.
"""

import re
from typing import Any

import pytest
from flask import Flask

from models.sign_on.one_request import is_allowed
from tests.browsing import ClientAs
from tests.independent_portal import IndependentPortal
from tests.portal import PortalServer
from tests.views.entrance.portal_steps import come, link, sign_on
from tests.views.keys import entries, is_in

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # what no database changes
FAILED = "单一窗口的登录没有完成，或已过期"


@pytest.mark.parametrize(
    "faults",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["filing", "another-client"]},  # and no azp
        {"azp": "another-client"},
        {"nonce": "swapped"},
        {"nonce": None},
        {"exp": 1_000_000_000},
        {"iat": 1_000_000_000},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"sub": "x" * 256},
        {"sub": 7},
        {"at_hash": "AAAA"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"key": "of a stranger"},
    ],
    ids=str,
)
def test_an_invalid_id_token_is_refused(
    webauthn_app: Flask, faulty_portal: PortalServer, client_as: ClientAs, faults: dict[str, Any]
) -> None:
    link(webauthn_app, faulty_portal)
    browser, faulty_portal.faults = client_as(None), faults
    answer = sign_on(browser, faulty_portal)
    assert answer.status_code == 401 and FAILED in answer.text
    assert not is_in(browser)
    assert entries(webauthn_app)[-1][0] == "portal_refused"
    faulty_portal.faults = {}
    sign_on(browser, faulty_portal)
    assert is_in(browser)


@pytest.mark.parametrize(
    "answer", [b"[" * 100_000, b'{"expires_in": 1e400}', b'{"expires_in": []}', b"[]", b"null", b"\xff", b""]
)
def test_a_malformed_token_is_refused(
    webauthn_app: Flask, faulty_portal: PortalServer, client_as: ClientAs, answer: bytes
) -> None:
    link(webauthn_app, faulty_portal)
    browser, faulty_portal.token_answer = client_as(None), answer
    assert sign_on(browser, faulty_portal).status_code == 401
    assert not is_in(browser)


def test_a_state_of_another_browser_is_refused(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    """Forged, of another browser, and used before: an attacker's code signs nobody in to the attacker's account."""
    link(webauthn_app, portal)
    attacker, victim = client_as(None), client_as(None)
    address = come(attacker, portal)
    assert victim.get(address).status_code == 401  # without any sign-on of its own
    come(victim, portal)
    assert victim.get(address).status_code == 401
    assert attacker.get(re.sub("state=[^&]+", "state=forged", address)).status_code == 401
    assert not is_in(victim) and not is_in(attacker)


def test_an_authorization_response_is_accepted_once(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    link(webauthn_app, portal)
    browser, thief = client_as(None), client_as(None)
    address = come(browser, portal)
    cookie = browser.get_cookie("filing_portal", path="/login/portal").value
    browser.get(address)
    assert is_in(browser)
    thief.set_cookie("filing_portal", cookie, path="/login/portal")
    assert thief.get(address).status_code == 401 and not is_in(thief)
    assert entries(webauthn_app)[-1] == ("portal_refused", "state: used before")  # by us, not by the portal alone


def test_a_used_or_foreign_authorization_code_is_refused(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    """PKCE: the verifier is that of another browser."""
    link(webauthn_app, portal)
    (attacker, victim), code = (client_as(None), client_as(None)), "code=[^&]+"
    stolen = re.findall(code, come(victim, portal))[0]
    answer = attacker.get(re.sub(code, stolen, come(attacker, portal)))
    assert answer.status_code == 401 and not is_in(attacker)
    assert entries(webauthn_app)[-1][1].startswith("code: invalid_grant")


def test_a_portal_sign_on_redirects_to_local_pages_only(portal: IndependentPortal, client_as: ClientAs) -> None:
    """The redirect address is that of FILING_BASE_URL, registered at the portal word for word."""
    address = client_as(None).get("/login/portal", headers={"Host": "localhost"}).location
    assert "redirect_uri=http%3A%2F%2Flocalhost%2Flogin%2Fportal%2Freturn" in address
    assert portal.approve(address.replace("localhost%2Flogin", "evil.example%2Flogin")) == "400"
    answer = client_as(None).get("/login/portal?next=//evil.example/")
    assert "evil.example" not in answer.location


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": None}, {"events": {}}, {"nonce": "x"}, {"jti": None}, {"sub": None, "sid": None},
        {"iss": "https://evil.example"}, {"aud": "another"}, {"iat": 1_000_000_000}, {"exp": 1_000_000_000},
    ],
    ids=str,
)  # fmt: skip
def test_an_invalid_logout_token_ends_no_session(
    webauthn_app: Flask, faulty_portal: PortalServer, client_as: ClientAs, wrong: dict[str, Any]
) -> None:
    link(webauthn_app, faulty_portal)
    sign_on(browser := client_as(None), faulty_portal)
    portal_says = faulty_portal.logout_token(**wrong)
    for token in (portal_says, faulty_portal.signed(faulty_portal.claims(nonce="n")), "x", ""):
        answer = client_as(None).post("/login/portal/logout", data={"logout_token": token}, csrf=False)
        assert (answer.status_code, answer.json) == (400, {"error": "invalid_request"})
    assert is_in(browser)


def test_endpoints_in_the_internal_network_are_refused(faulty_portal: PortalServer, client_as: ClientAs) -> None:
    faulty_portal.metadata = {"token_endpoint": "http://169.254.169.254/latest"}
    assert client_as(None).get("/login/portal").status_code == 503
    remote = "https://portal.example.cn"
    for address in ("http://portal.example.cn/t", "https://127.0.0.1/t", "https://localhost/t", "file:///x", None):
        assert not is_allowed(address, remote), address
    assert is_allowed("https://sso.example.cn/t", remote)


def test_a_logout_token_ends_just_its_own_sessions_once(
    webauthn_app: Flask, faulty_portal: PortalServer, client_as: ClientAs
) -> None:
    """With `sid` one session, without it all of the user."""
    link(webauthn_app, faulty_portal)
    browsers = [client_as(None) for _time in range(2)]
    for number, browser in enumerate(browsers, 1):
        faulty_portal.sid = f"portal-session-{number}"
        sign_on(browser, faulty_portal)
    by_password = client_as("publisher")
    token = faulty_portal.logout_token(sid="portal-session-1")
    plain = client_as(None)
    for status in (200, 400):  # accepted once
        answer = plain.post("/login/portal/logout", data={"logout_token": token}, csrf=False)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store")
    assert [is_in(browser) for browser in (*browsers, by_password)] == [False, True, True]
    all_of_them = faulty_portal.logout_token(sid=None)
    assert plain.post("/login/portal/logout", data={"logout_token": all_of_them}, csrf=False).status_code == 200
    assert [is_in(browser) for browser in (*browsers, by_password)] == [False, False, True]
    assert [kind for kind, _words in entries(webauthn_app)].count("portal_ended") == 2
