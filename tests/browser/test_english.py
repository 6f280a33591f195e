"""English in a browser: chosen with the keyboard, remembered by a cookie, checked by axe, and fitting a phone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.browser.test_pages import DESK, TELEPHONE, certificate_number  # noqa: F401
from tests.cast import PASSWORD
from views.translations import COOKIE

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def reads_english(page: Page, address: str) -> None:
    """axe finds nothing, and on a telephone the page does not scroll sideways."""
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    for size in (TELEPHONE, DESK):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, size)
    flawless(page, address)


def test_english_is_chosen_with_the_keyboard_and_stays(browse_as: BrowseAs) -> None:
    """On the login page, before signing in; and back to Chinese from the bar of a page, to the same page."""
    someone = browse_as()
    page = someone.page
    page.goto("/login?next=/applications/?title=x")
    page.get_by_role("link", name="English").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("User name").fill("publisher")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Captcha", exact=True).fill(someone.read_picture())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Applications")).to_be_visible()
    assert page.get_by_label("Title").input_value() == "x"
    page.get_by_role("link", name="中文").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="查询")).to_be_visible()
    assert page.get_by_label("商品名称").input_value() == "x"


def test_english_pages_read_well_for_every_role_and_on_a_phone(certificate_number: str, browse_as: BrowseAs) -> None:  # noqa: F811
    """Login page, form, list, case, desks, statistics, 运行状态, handbook."""
    stranger = browse_as()
    stranger.context.add_cookies([{"name": COOKIE, "value": "en", "url": stranger.address}])
    for address in ("/login", f"/verify/{certificate_number}"):
        reads_english(stranger.page, address)
    for username, addresses in (
        ("publisher", ("/desk/", "/applications/", "/applications/new/")),
        ("reviewer", ("/desk/", "/review/", "", "/province/")),
        ("operator", ("/accounts/", "/condition/", "/handbook/")),
    ):
        person = browse_as(username)
        person.context.add_cookies([{"name": COOKIE, "value": "en", "url": person.address}])
        case = person.page.locator("a.number").first.get_attribute("href") if "" in addresses else None
        for address in addresses:
            reads_english(person.page, address or str(case))
