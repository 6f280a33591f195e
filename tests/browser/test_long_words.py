"""Words without a blank, as long as their field allows: they wrap, and neither widen a page nor lie under a tag."""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page

from models import access, clock
from models.notifications.announcements import Announcement
from models.people.portal_links import request_link
from models.vocabulary import Role
from tests.browser.conftest import BrowseAs

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
WORD = "Maintenance" * 9
OVER = """() => {
  const [tag, title] = [".col-state .badge", "tbody td:first-child"].map((each) => document.querySelector(each));
  const range = document.createRange();
  range.selectNodeContents(title);
  return Math.max(...[...range.getClientRects()].map((line) => line.right)) > tag.getBoundingClientRect().left;
}"""


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_the_title_of_an_announcement_wraps_on_a_phone(app: Flask, browse_as: BrowseAs) -> None:
    """On desk and message; in the operator's list beside its tag."""
    today = clock.today()
    with app.app_context(), access.everything() as session:
        until = today + timedelta(days=9)
        session.add(Announcement(title=WORD, text=WORD, roles=frozenset(Role), since=today, until=until))
        session.commit()
    page = browse_as("operator", width=390, height=800).page
    for path in ("/desk/", "/messages/announcement/?id=1", "/announcements/"):
        page.goto(path)
        assert WORD in page.locator("main").inner_text() and not is_too_wide(page), path
    assert not page.evaluate(OVER)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_names_of_a_portal_user_wrap(app: Flask, browse_as: BrowseAs, width: int) -> None:
    app.config["PORTAL_ISSUER"], app.config["PORTAL_CLIENT_ID"] = "https://portal.example.cn", "filing"
    with app.app_context(), access.everything() as session:
        found = {"name": "阿" * 100, "organisation": WORD, "credit_code": "12320000466000101W"}
        request_link(session, "https://portal.example.cn", "f81d4fae7dec11d0" * 12, found, "10.0.0.1")
        session.commit()
    page = browse_as("operator", width=width, height=800).page
    page.goto("/portal/")
    assert WORD in page.locator("main").inner_text() and not is_too_wide(page)


def test_the_table_of_api_keys_fits_a_tablet(browse_as: BrowseAs) -> None:
    page = browse_as("publisher", width=768, height=800).page
    page.goto("/apikeys/")
    page.locator("[name=name]").fill("M" * 40)
    page.get_by_role("button", name="生成密钥").click()
    page.goto("/apikeys/")
    assert "M" * 40 in page.locator("main").inner_text() and not is_too_wide(page)
