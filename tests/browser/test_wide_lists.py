"""Wide lists on small laptops, in both languages: the table scrolls in its frame, acts stay in one line."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import BrowseAs
from tests.browser.test_pages import certificate_number  # noqa: F401
from tests.browser.test_small_screens import LINES
from tests.conftest import MakeApplication
from views.translations import COOKIE

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
WIDTHS = (1024, 1280, 1366)
IN_ONE_LINE = 1280  # from this width on
A4 = 718  # pixels between margins of 10 mm


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


BROKEN_DATES = r"""main => {
  const texts = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), range = document.createRange(), broken = [];
  while (texts.nextNode()) {
    for (const { 0: date, index } of texts.currentNode.data.matchAll(/\d{4}-\d\d-\d\d/g)) {
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + date.length);
      if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) broken.push(date);
    }
  }
  return broken;
}"""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("username", "path"), [("reviewer", "/review/"), ("reviewer", "/exchange/"),
                                                ("operator", "/condition/")])  # fmt: skip
def test_no_date_is_broken_at_its_hyphen(
    browse_as: BrowseAs, make_application: MakeApplication, username: str, path: str, language: str
) -> None:
    for status in ("pending", "customs_failed"):
        make_application(status=status)
    person = browse_as(username)
    person.context.add_cookies([{"name": COOKIE, "value": language, "url": person.address}])
    page = person.page
    page.goto(path)
    for width in (390, 1024, 1152, 1366):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.locator("main").evaluate(BROKEN_DATES) == [], width


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_column_of_a_list_is_cut_off_on_paper(
    certificate_number: str,  # noqa: F811
    browse_as: BrowseAs,
    language: str,
) -> None:
    """The frame that scrolls on a screen cannot be scrolled on a sheet of A4."""
    person = browse_as("national", width=A4, height=1000)
    person.context.add_cookies([{"name": COOKIE, "value": language, "url": person.address}])
    person.page.emulate_media(media="print")
    for path in ("/register/", "/statistics/", "/signins/", "/operations/", "/prints/"):
        person.page.goto(path)
        heads = person.page.locator("table th:not(.pick, .sort-by, .col-acts)")
        ends = heads.evaluate_all("heads => heads.map((head) => head.getBoundingClientRect().right)")
        assert max(ends) <= A4, path
