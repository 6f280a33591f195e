"""A form that is shown again after a refusal, and a field that is left for another window, work as before."""

from playwright.sync_api import expect

from tests.browser.conflict import meet_a_conflict
from tests.browser.conftest import BrowseAs
from tests.browser.sheet import fill_in, paste
from tests.conftest import MakeApplication


def test_rows_are_pasted_into_a_form_that_a_conflict_has_shown_again(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    publisher = browse_as("publisher")
    page = publisher.page
    meet_a_conflict(publisher, make_application(carriers=1))
    paste(publisher, "DVD\tD9\t5\t张\nDVD\tD5\t6\t张")
    fill_in(publisher)
    expect(page.locator("tr.inline-row:visible")).to_have_count(3)


def test_a_choice_that_was_being_typed_is_settled_after_another_window_was_used(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """Browsers send `focusin` to the same field again when their window comes back."""
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={make_application(country='USA')}")
    field = page.get_by_role("combobox", name="国别")
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("日本")
    field.evaluate("field => field.dispatchEvent(new FocusEvent('focusin', { bubbles: true }))")
    page.keyboard.press("Tab")
    expect(page.locator("select#country, .combobox > select[name=country]")).to_have_value("JPN")
