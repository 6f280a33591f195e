"""Text in a combobox that is no option: it gets an error and is never lost."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BrowseAs
from tests.browser.options import FORM, options
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.mark.parametrize("field", ["port", "carriers-0-unit"])
def test_text_that_matches_no_option_gets_an_error_message(browse_as: BrowseAs, field: str) -> None:
    """A list gets its old value back, a cell keeps the text for the draft; an unambiguous text is accepted."""
    page = browse_as("publisher").page
    page.goto(FORM)
    box, old, part = (
        page.locator(f"#{field}"),
        *{"port": ("5301-皇岗海关", "大鹏"), "carriers-0-unit": ("010-张", "盘")}[field],
    )
    box.click()
    page.keyboard.type(old[:4].strip("-"))
    page.keyboard.press("Tab")
    expect(box).to_have_value(old)
    box.click()
    page.keyboard.type("没有这个")
    page.locator("#title").click()
    expect(box).to_have_value(old if field == "port" else "没有这个")
    error = page.locator(f"#{field}-unknown")
    expect(error).to_have_text("“没有这个”不在列表中，请从下拉列表中选择。")
    assert f"{field}-unknown" in (box.get_attribute("aria-describedby") or "")
    box.click()
    page.keyboard.type(part)
    expect(error).to_have_count(0)
    page.locator("#title").click()
    expect(box).to_have_value({"port": "5316-大鹏海关", "carriers-0-unit": "031-盘"}[field])


def test_the_form_is_not_sent_while_a_combobox_holds_an_unknown_option(browse_as: BrowseAs) -> None:
    """Enter in a closed list saves; with unknown text it shows a message and stays on the page."""
    page = browse_as("publisher").page
    page.goto(FORM)
    page.locator("#country").click()
    page.keyboard.type("乌有国")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("#country-unknown")).to_have_text("“乌有国”不在列表中，请从下拉列表中选择。")
    assert page.url.endswith(FORM)


def test_the_combobox_does_not_search_while_an_input_method_composes(browse_as: BrowseAs) -> None:
    """The letters on the way to 浦江 are no search, and the Enter that confirms them is no choice."""
    person = browse_as("publisher")
    page = person.page
    page.goto(FORM)
    page.locator("#port").click()
    method = person.context.new_cdp_session(page)
    before = options(page)
    method.send("Input.imeSetComposition", {"text": "pu'jiang", "selectionStart": 8, "selectionEnd": 8})
    assert options(page) == before
    method.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    assert options(page) == before
    assert page.locator("select[name=port]").input_value() == "__None"
    method.send("Input.imeSetComposition", {"text": "浦江", "selectionStart": 2, "selectionEnd": 2})
    method.send("Input.insertText", {"text": "浦江"})
    expect(page.get_by_role("option")).to_have_text(["2201-浦江海关"])
    page.keyboard.press("Enter")
    expect(page.locator("#port")).to_have_value("2201-浦江海关")


def test_a_field_is_emptied_by_its_button_and_by_deleting_the_text(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    key = make_application()
    person = browse_as("publisher")
    page = person.page
    page.goto(f"/applications/edit/?id={key}")
    expect(page.locator("#country")).to_have_value("DEU-德国")
    page.get_by_role("button", name="清除国别（地区）").click()
    page.locator("#port").fill("")
    person.turn_over("保存")
    for field in ("country", "port"):
        expect(page.locator(f"#{field}")).to_have_value("")


def test_the_option_list_says_that_the_server_does_not_answer(browse_as: BrowseAs) -> None:
    person = browse_as("operator")
    page = person.page
    page.goto("/entrustments/new/")
    person.context.set_offline(True)
    page.locator("#agent").click()
    expect(page.locator("#choices p")).to_have_text("网络中断，暂时查不到选项，请稍后再试。")
    person.complaints.clear()  # Chromium tells of the request that was broken off
