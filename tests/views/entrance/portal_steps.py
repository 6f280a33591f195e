"""Sign-on through the portal by the test client."""

from flask import Flask
from werkzeug.test import TestResponse

from models import access
from models.people import portal_links
from tests.browsing import Browser
from tests.cast import account_of
from tests.independent_portal import IndependentPortal
from tests.portal import PortalServer

Portal = IndependentPortal | PortalServer


def come(browser: Browser, portal: Portal, target: str = "/visits/") -> str:
    """Follow our button to the portal; returns the address to which it redirects the browser back."""
    answer = browser.get("/login/portal", query_string={"next": target})
    assert answer.status_code == 302, answer.text
    return portal.approve(answer.location)


def sign_on_silently(browser: Browser, portal: IndependentPortal, seconds: int) -> TestResponse:
    """Sign on at a portal where the password was entered so many seconds ago, and is not asked for again."""
    come(Browser(browser.application), portal)
    portal.make_older(seconds)
    return browser.get(portal.visitor.come(browser.get("/login/portal").location, password=None))


def sign_on(browser: Browser, portal: Portal) -> TestResponse:
    return browser.get(come(browser, portal))


def link(app: Flask, portal: Portal, username: str = "publisher") -> None:
    """Link the user of the portal to this account, as an operator does, and commit."""
    with app.app_context(), access.everything() as session:
        claims = {"name": portal.user["name"], "credit_code": portal.user.get("credit_code", "")}
        asked = portal_links.request_link(session, portal.issuer, portal.user["sub"], claims, "127.0.0.1")
        portal_links.link(session, asked, account_of(username))
        session.commit()


def unlink(app: Flask, portal: Portal) -> None:
    """Remove the link of the user of the portal, as an operator does, and commit."""
    with app.app_context(), access.everything() as session:
        found = portal_links.link_of(session, portal.issuer, portal.user["sub"])
        assert found is not None
        portal_links.unlink(session, found.id)
        session.commit()
