"""Where the focus is for a person at the keyboard, and what a test requires of every state that this person meets."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_accessibility import flawless

LOOK = """() => {
  const focused = document.activeElement, drawn = focused.closest(".choose") || focused;
  const { left, right, top, bottom } = drawn.getBoundingClientRect(), style = getComputedStyle(drawn);
  const marked = (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
  const seen = Math.max(left, 0) < Math.min(right, innerWidth) && Math.max(top, 0) < Math.min(bottom, innerHeight);
  return [focused === document.body ? "lost" : "", seen ? "" : "out of sight", marked ? "" : "not marked"]
    .filter(Boolean).map((fault) => `${fault}: ${focused.outerHTML.slice(0, 150)}`);
}"""


def focus_on(place: Locator) -> None:
    """Assert that `place` gets the focus, in sight and with a mark around it (WCAG 2.4.7)."""
    expect(place).to_be_focused()
    assert place.page.evaluate(LOOK) == []


def in_order(page: Page, state: str) -> None:
    """Assert that the focus is somewhere on the page, in sight and marked, and that axe finds nothing."""
    assert page.evaluate(LOOK) == [], state
    flawless(page, state)
