"""A person without a mouse who looks, at every key, where the focus is."""

from typing import Any

from playwright.sync_api import FileChooser, Locator, Page, expect

from tests.browser.person import Person
from tests.browser.test_accessibility import flawless
from tests.browser.test_keyboard import FAR, KeyboardUser, opened_by_space

LOST = "lost"  # in no field, link or button: a page without focus, or the stop past the last one of a page
SCROLLING, FRAME = 1000, 50  # milliseconds
LOOK = """() => {
  const element = document.activeElement, shape = element.closest(".choose") || element, look = getComputedStyle(shape);
  if (element === document.body) return "lost";
  if (element.tagName === "IFRAME") return "";
  const ringed = (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== "none";
  if (!ringed) return `no ring: ${element.outerHTML.slice(0, 200)}`;
  const spots = [...shape.getClientRects()].flatMap(({ left, right, top, bottom }) => {
    const [l, r] = [Math.max(left, 0) + 2, Math.min(right, innerWidth) - 2];
    const [t, b] = [Math.max(top, 0) + 2, Math.min(bottom, innerHeight) - 2];
    return [[l, t], [r, t], [(l + r) / 2, (t + b) / 2], [l, b], [r, b]];
  });
  const free = ([x, y]) => { const hit = document.elementFromPoint(x, y); return hit && shape.contains(hit); };
  return spots.some(free) ? "" : `out of sight: ${element.outerHTML.slice(0, 200)}`;
}"""


def look(page: Page) -> str:
    """What is wrong with the focus, or ""; a page that still scrolls is given SCROLLING milliseconds."""
    trouble: str = page.evaluate(LOOK)
    for _frame in range(SCROLLING // FRAME):
        if not trouble.startswith("out of sight"):
            break
        page.wait_for_timeout(FRAME)
        trouble = page.evaluate(LOOK)
    return trouble


def focus_on(place: Locator) -> None:
    """Assert that `place` has or gets the focus, in sight and with a ring around it."""
    expect(place).to_be_focused()
    trouble = look(place.page)
    assert trouble == "", trouble


def in_order(page: Page, state: str) -> None:
    """Assert that the focus is somewhere on the page, in sight and with its ring, and that axe finds nothing."""
    trouble = look(page)
    assert trouble == "", f"{state}: {trouble}"
    flawless(page, state)


class AttentiveUser(KeyboardUser):
    """A KeyboardUser who notices a focus that cannot be seen (WCAG 2.2: 2.4.7, 2.4.11) or is lost."""

    def __init__(self, person: Person, page: Page | None = None) -> None:
        super().__init__(person)
        self.page = page or person.page

    def tab_to(self, place: Locator, key: str = "Tab") -> None:
        """Press Tab until `place` has the focus, which is seen at every stop."""
        self.page.wait_for_load_state()
        focused = place.and_(self.page.locator(":focus"))
        for press in range(FAR):
            reached, trouble = focused.count(), look(self.page)
            assert trouble in ("", LOST) or not press, trouble  # the first place is the page's choice
            if reached:
                return
            self.press(key)
        raise AssertionError(f"the keyboard does not reach {place}")

    def activate(self, place: Locator, key: str = "Enter") -> None:
        """Tab to a button whose effect stays on the page, and press it."""
        self.tab_to(place)
        self.press(key)

    def write(self, field: Locator, text: str) -> None:
        """Tab to a field, and type in place of what it holds."""
        self.tab_to(field)
        self.press("Control+a", "Delete")
        self.type(text)

    def choose_file(self, chooser: Locator, name: str, content: bytes) -> None:
        """Tab to a box for a file, press Space, and pick the file."""
        self.tab_to(chooser)
        opened: FileChooser = opened_by_space(self, chooser)
        file: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        opened.set_files(file)

    def answer_told(self, words: str, opener: Locator) -> None:
        """Close a dialog that only tells something; the focus is back where it was."""
        expect(self.page.locator("#ask .ask-words")).to_contain_text(words)
        flawless(self.page, words)
        expect(self.page.locator("#ask [value=yes]")).to_be_focused()
        self.press("Enter")
        expect(opener).to_be_focused()

    def agree_to(self, words: str) -> None:
        """Answer a question that contains these words with 确定."""
        expect(self.page.locator("#ask .ask-words")).to_contain_text(words)
        flawless(self.page, words)
        self.agree()

    def flawless(self, state: str) -> None:
        """What flawless() asserts, on a desk and on a telephone."""
        for width in (390, 1360):
            self.page.set_viewport_size({"width": width, "height": 900})
            flawless(self.page, f"{state}, {width} px wide")

    def menu(self, name: str) -> None:
        """Open a screen from the menu."""
        self.enter(self.page.get_by_role("navigation", name="主菜单").get_by_role("link", name=name))
