"""从单一窗口登录 in Chromium: a real portal on another address, the keyboard alone, and both sign-outs."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from models.sign_on.discovery import KNOWN
from tests.browser.conftest import BrowseAs
from tests.browser.person import Person
from tests.browser.test_accessibility import flawless
from tests.browser.test_signed_out import session_ends
from tests.conftest import MakeApplication, StoredRows
from tests.independent_portal import PASSWORD, IndependentPortal, independent_portal_served
from tests.views.entrance.portal_steps import link

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def portal(app: Flask, address: str) -> Iterator[IndependentPortal]:
    """A portal at another site: the application is at localhost, the portal at 127.0.0.1."""
    with independent_portal_served() as portal:
        app.config.update(portal.settings())
        portal.register(address, address)
        KNOWN.clear()
        yield portal


def come(person: Person) -> Page:
    """From our sign-in page to the portal, and back by its form: every step with the keyboard."""
    page = person.page
    page.goto("/login")
    page.get_by_role("link", name="从单一窗口登录").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("http://127.0.0.1:*/authorize*")
    enter(page)
    return page


def enter(page: Page) -> None:
    """The portal's own form, unless the person has signed in there already."""
    page.get_by_label("user").focus()
    page.keyboard.type("sw-0001")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("same_site", ["Lax", "Strict"])
def test_a_portal_user_is_linked_by_the_operator_signs_in_and_signs_out_of_both(
    app: Flask, browse_as: BrowseAs, portal: IndependentPortal, same_site: str
) -> None:
    app.config["SESSION_COOKIE_SAMESITE"] = same_site
    person, operator = browse_as(), browse_as("operator")
    person.others = [portal.issuer]
    page = person.page
    page.goto("/login")
    flawless(page, "the button of the portal")
    come(person)
    expect(page.get_by_role("heading", name="等待关联账号")).to_be_visible()
    flawless(page, "waiting for the operator")
    operator.page.goto("/portal/")
    flawless(operator.page, "a request")
    operator.page.set_viewport_size({"width": 390, "height": 800})
    flawless(operator.page, "on a telephone")
    operator.page.get_by_label("王敏 的用户名").fill("publisher")
    operator.page.get_by_role("button", name="关联", exact=True).focus()
    operator.page.keyboard.press("Enter")
    expect(operator.page.get_by_text("可以从单一窗口登录账号 publisher")).to_be_visible()
    page.goto("/login")
    page.get_by_role("link", name="从单一窗口登录").click()  # which knows them, and does not ask again
    page.wait_for_url("**/desk/")
    page.goto("/visits/")
    expect(page.get_by_text("已关联单一窗口用户：王敏")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    page.get_by_role("button", name="sign out").click()  # the portal asks
    page.wait_for_url("**/login")
    assert portal.ended == ["sw-0001"]
    page.goto("/desk/")
    page.wait_for_url(re.compile(r"/login\?next="))


def test_signing_in_again_at_the_portal_continues_on_the_page(
    app: Flask,
    browse_as: BrowseAs,
    portal: IndependentPortal,
    make_application: MakeApplication,
    stored_rows: StoredRows,
) -> None:
    """In another window, while the dialog over the page asks whether it has been done; the text is saved then."""
    key = make_application()
    link(app, portal)
    publisher = browse_as()
    publisher.others = [portal.issuer]
    page = come(publisher)
    page.wait_for_url("**/desk/")
    page.goto(f"/applications/edit/?id={key}")
    page.locator("#title").fill("超时之后的名称")
    session_ends(app, "publisher")
    publisher.press("保存")
    with publisher.context.expect_page() as opened:
        page.locator("#again").get_by_role("link", name="从单一窗口登录").click()
    window = opened.value
    window.wait_for_url("**/desk/")
    expect(page.locator(".alert-success")).to_contain_text("已于 ")
    expect(page.locator("#again")).to_have_count(0)
    assert stored_rows(key)["application"][0]["title"] == "超时之后的名称"
