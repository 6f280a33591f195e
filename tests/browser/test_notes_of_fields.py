"""Notes beside fields and cells: gone once the cell is filled, and in nobody's way when they appear.

On SQLite alone: what is tried here is a script in a browser.
"""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import BrowseAs
from tests.browser.options import FORM
from tests.browser.sheet import clipboard_text, fill_in, paste, values
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
HEADINGS = ["载体类型", "规格型号", "进口数量", "单位"]


def test_blank_cells_are_not_marked_any_more_once_they_are_filled_down(browse_as: BrowseAs) -> None:
    publisher = browse_as("publisher")
    publisher.page.goto(FORM)
    page = paste(publisher, clipboard_text([HEADINGS, *(["DVD", "D9", n, None] for n in (1, 2, 3))]))
    fill_in(publisher)
    expect(page.locator("tr.inline-row td.wrong")).to_have_count(3)
    page.locator("tr.inline-row .col-unit input").first.fill("010-张")
    page.keyboard.press("Control+Shift+D")
    assert values(page, "unit") == ["010-张"] * 3
    expect(page.locator("tr.inline-row td.wrong")).to_have_count(0)


def test_the_note_about_a_completed_code_does_not_move_the_button_that_is_clicked(browse_as: BrowseAs) -> None:
    """张 becomes 010-张 with a note, as soon as the mouse is pressed on a button below."""
    page = browse_as("publisher").page
    page.goto(FORM)
    page.locator("#carriers-0-unit").click()
    page.keyboard.type("张")
    expect(page.locator(".totals")).not_to_be_empty()  # it moves the button, too, but while the person types
    press(page, page.get_by_role("button", name="新增一行"))
    expect(page.locator("tr.inline-row:visible")).to_have_count(2)
    note = page.locator("#carriers-0-unit-unknown")
    expect(note).to_contain_text("010-张")
    expect(page.locator("#carriers-0-unit")).to_have_attribute("aria-describedby", "carriers-0-unit-unknown")


def test_the_note_about_a_known_plant_does_not_move_the_button_that_is_clicked(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    make_application(manufacturer="Sonopress GmbH", country="DEU")
    page = browse_as("publisher").page
    page.set_viewport_size({"width": 1280, "height": 1600})  # field and button are seen at once: nothing scrolls
    page.goto(FORM)
    page.locator("#manufacturer").click()
    page.keyboard.type("Sonopress GmbH")
    page.keyboard.press("Escape")
    press(page, page.get_by_role("button", name="新增一行"))
    expect(page.locator("tr.inline-row:visible")).to_have_count(2)
    expect(page.locator(".filled")).to_contain_text("国别（地区）")
    expect(page.locator("#country")).to_have_value("DEU-德国")


def press(page: Page, button: Locator) -> None:
    """A click as a hand makes it: the button of the mouse is down for a moment."""
    button.hover()
    page.mouse.down()
    page.wait_for_timeout(150)
    page.mouse.up()
