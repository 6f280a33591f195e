"""Wide lists on small laptops, in both languages: the table scrolls in its frame, acts stay in one line."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import BrowseAs
from tests.browser.test_pages import certificate_number  # noqa: F401
from tests.browser.test_small_screens import LINES
from views.translations import COOKIE

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
WIDTHS = (1024, 1280, 1366)
IN_ONE_LINE = 1280  # from this width on


def lists_of(page: Page) -> list[str]:
    """The addresses in the menu, most of which are lists, and the handbook."""
    links = page.locator("#menu a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    return [*(link for link in links if not link.endswith("/new/")), "/help/"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("username", ["publisher", "reviewer", "national", "operator"])
def test_only_the_frame_of_a_wide_table_scrolls_and_acts_stay_in_one_line(
    certificate_number: str,  # noqa: F811
    browse_as: BrowseAs,
    username: str,
    language: str,
) -> None:
    person = browse_as(username)
    person.context.add_cookies([{"name": COOKIE, "value": language, "url": person.address}])
    page, faults = person.page, []
    for path in lists_of(page):
        page.goto(path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 768})
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            lines = page.locator("td.col-acts:has(.act)").evaluate_all(LINES)
            if wider > 0 or (width >= IN_ONE_LINE and max(lines, default=0) >= 10):
                faults.append((path, width, wider, lines))
    assert faults == []
