"""Focus that is never hidden, forced colours, and a telephone that shows whole words."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import BrowseAs
from tests.browser.person import Person
from tests.browser.test_pages import certificate_number  # noqa: F401
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


OBSCURED = """() => {
  const element = document.activeElement, box = element.getBoundingClientRect();
  const at = (x, y) => document.elementFromPoint(x, y);
  const spots = [[box.left + box.width / 2, box.top + 3], [box.left + box.width / 2, box.bottom - 3]];
  const free = (spot) => { const hit = at(...spot); return hit && (element.contains(hit) || hit.contains(element)); };
  return element === document.body || spots.every(free) ? "" : element.outerHTML.slice(0, 120);
}"""


@pytest.mark.parametrize(("width", "height"), [(1360, 700), (390, 700)])
def test_sticky_bars_never_cover_the_focused_element(
    browse_as: BrowseAs, make_application: MakeApplication, width: int, height: int
) -> None:
    """WCAG 2.2, 2.4.11: through the whole form forwards and back, by Tab alone."""
    page = browse_as("publisher", width=width, height=height).page
    page.goto(f"/applications/edit/?id={make_application(carriers=3)}")
    for key in ("Tab", "Shift+Tab"):
        for _step in range(75):
            page.keyboard.press(key)
            assert page.evaluate(OBSCURED) == "", key


def look(page: Page, selector: str) -> list[str]:
    """What forced colours leave of an element's look."""
    names = ("color", "backgroundColor", "borderTopColor", "outlineStyle", "textDecorationLine")
    script = "(element, names) => names.map((name) => getComputedStyle(element)[name])"
    return list(page.locator(selector).first.evaluate(script, list(names)))


def test_forced_colours_still_distinguish_every_state(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """Live and dimmed acts, in rows and in bars; the open menu entry; the ticked row; the highlighted option; focus."""
    make_application()
    make_application(status="pending")
    person = browse_as("publisher")
    page = person.page
    page.emulate_media(forced_colors="active")
    assert look(page, ".act[aria-disabled=true]") != look(page, ".act:not([aria-disabled])")
    assert look(page, ".side a.here") != look(page, ".side a:not(.here)")
    person.row("暂存").get_by_role("checkbox").check()
    assert look(page, "tr.picked") != look(page, "tbody tr:not(.picked)")
    assert look(page, ".bar .btn[aria-disabled=true]") != look(page, ".bar .btn[aria-disabled=false]")
    page.locator("#status").click()
    page.keyboard.press("ArrowDown")
    assert look(page, "#choices li[aria-selected=true]") != look(page, "#choices li[aria-selected=false]")
    assert look(page, "#status")[3] == "solid"


LINES = """element => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return range.getClientRects().length;
}"""


SEEN: dict[str, Callable[[Person], object]] = {
    "who is signed in": lambda person: person.page.get_by_text("王敏"),
    "the status": lambda person: person.row("待审核").locator(".badge"),
    "the last act": lambda person: person.row("待审核").get_by_role("link", name="查看"),
}


def test_a_telephone_shows_name_status_and_whole_words(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """390 px: no essential part is outside the screen, and no word of a button or a step is broken in two."""
    key = make_application(status="pending")
    draft = make_application()
    person = browse_as("publisher", width=390, height=800)
    page = person.page
    for what, found in SEEN.items():
        box = found(person).bounding_box()  # type: ignore[attr-defined]
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390, what
    number, status = (person.row("待审核").locator(part).bounding_box() for part in (".col-number", ".badge"))
    assert number and status and abs(number["y"] - status["y"]) < 12
    page.goto(f"/applications/details/?id={key}")
    for box in [step.bounding_box() for step in page.locator(".steps li").all()]:
        assert box and box["x"] + box["width"] <= 390
    page.goto(f"/applications/edit/?id={draft}")
    for button in page.locator(".foot .btn").all():
        assert button.evaluate(LINES) == 1, button.inner_text()
