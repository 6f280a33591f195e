"""Requests of a page view: few at the first visit, one from then on."""

from playwright.sync_api import Browser, Page

from tests.browser.conftest import BrowseAs

FIRST = {"requests": 6, "bytes": 150_000}
SENT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((entry) => entry.transferSize).map((entry) => [entry.name, entry.transferSize])"""


def sent(page: Page, address: str) -> dict[str, int]:
    """The addresses that the browser asked the server for, and the bytes that came."""
    page.goto(address, wait_until="networkidle")
    return dict(page.evaluate(SENT))


def test_a_first_page_view_takes_six_requests_and_the_next_one(browse_as: BrowseAs, chromium: Browser) -> None:
    """In a browser with an empty cache, signed in already."""
    for username in ("publisher", "reviewer", "national"):
        person = browse_as(username)
        here = person.page.url
        context = chromium.new_context(base_url=here, storage_state=person.context.storage_state())
        page = context.new_page()
        first = sent(page, here)
        assert 3 <= len(first) <= FIRST["requests"], first
        assert sum(first.values()) <= FIRST["bytes"], first
        for address in ("/desk/", here):
            assert len(again := sent(page, address)) == 1, again
        context.close()
