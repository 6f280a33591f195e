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


def test_a_line_of_the_summary_goes_away_with_its_fault(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """A cell typed anew, pasted or filled down, a row taken out, an optional field emptied; the last one takes all."""
    person = browse_as("publisher")
    page, lines = person.page, person.page.locator("#missing li")
    page.goto(f"/applications/edit/?id={make_application(carriers=5)}")
    page.locator("#isbn").fill("9" * 30)
    for number, typed in enumerate(("三", "四", "五", "六", "")):
        page.locator(f"#carriers-{number}-quantity").fill(typed)
    person.press("申报")
    person.answer("确定")
    expect(lines).to_have_count(6)
    page.locator("#carriers-0-quantity").fill("3")
    expect(lines).to_have_count(5)
    page.locator("#carriers-1 [data-delete-row]").click()
    person.answer("确定")
    expect(lines).to_have_count(4)
    paste(person, "5\n6", "#carriers-2-quantity")
    page.get_by_text("从当前单元格起覆盖").click()
    fill_in(person)
    expect(lines).to_have_count(2)
    page.locator("#carriers-3-quantity").press("Control+Shift+d")
    expect(lines).to_have_count(1)
    page.locator("#isbn").fill("")
    expect(page.locator("#missing")).to_have_count(0)


def test_the_line_that_a_row_is_missing_goes_away_with_the_first_row(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    person = browse_as("publisher")
    page, line = person.page, person.page.locator("#missing a[href='#carriers']")
    page.goto(f"/applications/edit/?id={make_application(carriers=0)}")
    person.press("申报")
    person.answer("确定")
    expect(line).to_have_count(1)
    page.locator("#carriers-0-specification").fill("D9")
    expect(line).to_have_count(0)
