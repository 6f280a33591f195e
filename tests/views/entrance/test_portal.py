"""从单一窗口登录: an independent OpenID provider over HTTPS and our application."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.database import db
from models.notifications.password_reset import reset_password
from models.people.accounts import Account
from models.people.portal_links import PortalRequest
from models.sign_on.discovery import KNOWN
from models.workflow import Refused
from tests.authenticator import Authenticator
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.independent_portal import IndependentPortal, Visitor
from tests.signing_in import sign_in
from tests.views.entrance.portal_steps import come, link, sign_on, unlink
from tests.views.keys import enrol, entries, is_in, options, use
from views.entrance import second_step

UNLINKED = "还没有关联本系统的账号"
FAILED = "单一窗口的登录没有完成，或已过期"


def test_a_portal_user_signs_in_after_the_operator_has_linked_the_account(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    """On both databases. No account is linked automatically, not even by the credit code."""
    browser = client_as(None)
    answer = sign_on(browser, portal)
    assert answer.status_code == 403 and UNLINKED in answer.text and "王敏" in answer.text
    assert not is_in(browser)
    with webauthn_app.app_context(), access.everything() as session:
        (asked,) = session.scalars(select(PortalRequest)).all()
        assert (asked.subject, asked.credit_code) == ("sw-0001", "12320000466000101W")
        assert asked.organisation == "江苏文艺音像出版社"
    link(webauthn_app, portal)
    answer = sign_on(browser, portal)
    assert re.findall(r'content="0; url=([^"]+)"', answer.text) == ["http://localhost/visits/"]
    page = browser.get("/visits/").text
    assert "这次使用的方式：单一窗口登录" in page
    assert entries(webauthn_app) == [("portal_asked", ""), ("signed_in", "单一窗口登录：王敏")]


def test_a_first_sign_on_asks_for_no_password_that_the_person_has_never_used(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    """On both databases. The one-time password, which an operator knows, does not sign in any more."""
    with webauthn_app.app_context(), access.everything() as session:
        once = session.get_one(Account, account_of("publisher").id).reset_password()
        session.commit()
    link(webauthn_app, portal)
    sign_on(browser := client_as(None), portal)
    page = browser.get("/visits/")
    assert page.status_code == 200 and "一次性密码没有用过，已经失效" in page.text
    assert entries(webauthn_app)[-1][0] == "password_removed"
    assert "这个账号没有密码" in browser.get("/password").text
    with webauthn_app.app_context():
        for guess in (once, ""):
            with pytest.raises(Refused, match="用户名或密码不正确"):
                sign_in(db.session(), "publisher", guess)


def test_a_sign_out_at_the_portal_ends_just_its_own_session(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    """Back-channel logout, on both databases: the portal sends us its own token over HTTP."""
    link(webauthn_app, portal)
    visitors, browsers = [Visitor(portal), Visitor(portal)], [client_as(None), client_as(None)]
    for portal.visitor, browser in zip(visitors, browsers, strict=True):
        sign_on(browser, portal)
    by_password = client_as("publisher")
    assert visitors[0].leave() == f"{portal.issuer}/left"
    assert [is_in(browser) for browser in (*browsers, by_password)] == [False, True, True]
    assert [kind for kind, _words in entries(webauthn_app)].count("portal_ended") == 1


class TestOnSqlite:
    """What no database changes."""

    pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)

    def test_a_portal_sign_on_starts_a_new_session(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        """Session fixation: values an attacker has put into the cookie are dropped."""
        link(webauthn_app, portal)
        browser = client_as(None)
        address = come(browser, portal)
        with browser.session_transaction() as session:
            session["planted"], session["_user_id"] = "x", "of-the-attacker"
        browser.get(address)
        assert is_in(browser)
        with browser.session_transaction() as session:
            assert "planted" not in session and session["_user_id"] != "of-the-attacker"

    def test_a_portal_sign_on_works_with_a_strict_session_cookie(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        """The state is in a cookie of its own, Lax; the session begins on a page, not on a redirect."""
        webauthn_app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
        link(webauthn_app, portal)
        browser = client_as(None)
        cookies = browser.get("/login/portal").headers.getlist("Set-Cookie")
        assert [cookie for cookie in cookies if "filing_portal=" in cookie and "SameSite=Lax" in cookie]
        answer = sign_on(browser, portal)
        assert answer.status_code == 200 and 'http-equiv="refresh"' in answer.text

    def test_a_disabled_account_cannot_sign_in_through_the_portal(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        link(webauthn_app, portal)
        with webauthn_app.app_context():
            account_of("publisher").active = False
            db.session.commit()
        answer = sign_on(browser := client_as(None), portal)
        assert answer.status_code == 401 and "账号已停用" in answer.text and not is_in(browser)
        assert entries(webauthn_app)[-1][0] == "account_disabled"

    def test_an_account_with_a_key_needs_a_second_step_after_the_portal(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        key: Authenticator = enrol(client_as("publisher"))
        link(webauthn_app, portal)
        browser = client_as(None)
        assert "http://localhost/login/confirm" in sign_on(browser, portal).text
        assert not is_in(browser) and "已在单一窗口登录" in browser.get("/login/confirm").text
        use(browser, key, "/login/confirm")
        assert is_in(browser)
        assert [entry for entry in entries(webauthn_app) if "单一窗口" in entry[1]][-1][1].startswith(
            "单一窗口登录，并用安全密钥"
        )
        webauthn_app.config["PORTAL_LEVELS"] = "password"  # its `acr`
        sign_on(assured := client_as(None), portal)
        assert is_in(assured)

    def test_a_required_key_is_enrolled_after_a_portal_sign_on(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        webauthn_app.config["KEYS_REQUIRED"] = True
        link(webauthn_app, portal, "reviewer")
        sign_on(browser := client_as(None), portal)
        assert browser.get("/review/").location == "/keys/"
        enrol(browser)
        assert browser.get("/review/").status_code == 200
        assert "单一窗口登录，并用安全密钥确认" in browser.get("/visits/").text

    def test_portal_sessions_expire_and_end_with_a_new_password(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link(webauthn_app, portal)
        sign_on(reset := client_as(None), portal)
        with webauthn_app.app_context(), access.everything() as session:
            reset_password(session, session.get_one(Account, account_of("publisher").id))
            session.commit()
        assert not is_in(reset)
        sign_on(late := client_as(None), portal)
        assert late.get("/visits/").location == "/password"  # the one-time password is to be changed first
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=31))
        assert late.get("/visits/").location.startswith("/login")

    def test_a_portal_sign_out_cancels_a_pending_second_step(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        key = enrol(client_as("publisher"))
        link(webauthn_app, portal)
        sign_on(browser := client_as(None), portal)
        portal.visitor.leave()
        assert browser.get("/login/confirm").location == "/login"
        assert key.count == 2

    @pytest.mark.parametrize("is_late", [False, True], ids=["before the page", "while the key is touched"])
    def test_removing_a_link_cancels_a_pending_second_step(
        self,
        webauthn_app: Flask,
        portal: IndependentPortal,
        client_as: ClientAs,
        is_late: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        key = enrol(client_as("publisher"))
        link(webauthn_app, portal)
        sign_on(browser := client_as(None), portal)
        asked = options(browser, "/login/confirm/options")
        if is_late:  # looked at before it was removed
            monkeypatch.setattr(second_step, "_still_waits", lambda _sign_on: True)
        unlink(webauthn_app, portal)
        answer = browser.post("/login/confirm", data={"credential": key.get(asked)}, follow_redirects=True)
        assert ("刚刚被移除，没有登录" if is_late else "登录确认已超时") in answer.text
        assert not is_in(browser)

    def test_signing_out_also_signs_out_of_the_portal(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        link(webauthn_app, portal)
        sign_on(browser := client_as(None), portal)
        answer = browser.post("/logout")
        (address,) = re.findall(r'content="0; url=([^"]+)"', answer.text)
        assert portal.visitor.leave(address.replace("&amp;", "&")) == "http://localhost/login"
        assert portal.ended == ["sw-0001"] and not is_in(browser)
        assert portal.visitor.come(browser.get("/login/portal").location, password=None) == "200"  # it asks again

    def test_an_unavailable_portal_is_reported_and_the_login_page_still_works(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        webauthn_app.config["PORTAL_ISSUER"] = "http://localhost:9"
        answer = client_as(None).get("/login/portal")
        assert answer.status_code == 503 and "单一窗口暂时没有应答" in answer.text
        assert client_as(None).get("/login").status_code == 200
        KNOWN.clear()

    def test_a_portal_whose_certificate_is_not_trusted_is_sent_nothing(
        self, webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
    ) -> None:
        webauthn_app.config["PORTAL_CA"] = None
        assert client_as(None).get("/login/portal").status_code == 503

    def test_the_portal_is_invisible_while_it_is_not_configured(self, app: Flask, client_as: ClientAs) -> None:
        browser = client_as(None)
        assert "单一窗口" not in browser.get("/login").text
        for path in ("/login/portal", "/login/portal/return"):
            assert "没有开通单一窗口登录" in browser.get(path, follow_redirects=True).text
        assert browser.post("/login/portal/logout", csrf=False).status_code == 404
