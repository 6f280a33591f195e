"""A date is typed; the calendar beside the field never changes what is being typed.

On SQLite alone: what is tried here is a script in a browser.
"""

from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from models import clock
from tests.browser.conftest import BrowseAs
from tests.cast import FIELDS
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def day(page: Page) -> str | None:
    """The day under focus in the open calendar."""
    return page.locator("#calendar td:focus").get_attribute("data-day")


def opened(page: Page, typed: str) -> None:
    """The blank form with this typed into 预计进口日期, and the calendar open over it."""
    page.goto("/applications/new/")
    page.locator("#expected_on").focus()
    page.keyboard.type(typed)
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_role("dialog", name="选择日期")).to_be_visible()


def test_a_date_typed_key_by_key_stays_as_typed(browse_as: BrowseAs) -> None:
    """Opening and closing the calendar leaves an incomplete or invalid date unchanged."""
    page = browse_as("publisher").page
    page.on("dialog", lambda question: question.accept())
    for typed in ("2027-01-15", "2027-1-5", "20270105", "２０２７年１月５日", "2027-0"):
        opened(page, typed)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="选择日期")).to_be_hidden()
        expect(page.locator("#expected_on")).to_be_focused()
        expect(page.locator("#expected_on")).to_have_value(typed)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.locator("#expected_on")).to_have_value(typed)


def test_the_calendar_opens_on_the_typed_day(browse_as: BrowseAs) -> None:
    page = browse_as("publisher").page
    page.on("dialog", lambda question: question.accept())
    for typed in ("2027-1-31", "2027/1/31", "20270131", "2027年1月31日", "２０２７-０１-３１"):
        opened(page, typed)
        assert day(page) == "2027-01-31", typed
        expect(page.locator("#calendar td[aria-selected=true]")).to_have_text("31")


def test_the_calendar_has_the_keys_of_the_aria_date_picker_pattern(browse_as: BrowseAs) -> None:
    """ARIA APG, date picker dialog: days, weeks, months, years; the last day of a month stays in its month."""
    page = browse_as("publisher").page
    opened(page, "2027-01-31")
    for key, reached in (
        ("PageDown", "2027-02-28"), ("Shift+PageDown", "2028-02-28"), ("ArrowRight", "2028-02-29"),
        ("Shift+PageUp", "2027-02-28"), ("Home", "2027-02-22"), ("ArrowUp", "2027-02-15"), ("End", "2027-02-21"),
        ("ArrowDown", "2027-02-28"), ("ArrowRight", "2027-03-01"), ("PageUp", "2027-02-01"),
        ("ArrowLeft", "2027-01-31"),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert day(page) == reached, key
    expect(page.locator("#calendar-month")).to_have_text("2027年1月")
    page.keyboard.press("Enter")
    expect(page.locator("#expected_on")).to_have_value("2027-01-31")
    expect(page.locator("#expected_on")).to_be_focused()
    assert page.url.endswith("/applications/new/")


def test_a_day_is_picked_with_the_mouse_and_saved(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """With the button beside the field; the page counts as changed, and the picked day is saved."""
    key = make_application()
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={key}")
    page.get_by_role("button", name="打开日历：预计进口日期").click()
    page.get_by_role("button", name="下一年").click()
    page.get_by_role("button", name="上个月").click()
    begun: date = FIELDS["expected_on"]
    wanted = (begun.replace(day=1, year=begun.year + 1) - timedelta(days=1)).replace(day=15)
    expect(page.locator("#calendar-month")).to_have_text(f"{wanted.year}年{wanted.month}月")
    page.locator("#calendar").get_by_text("15", exact=True).click()
    expect(page.locator("#expected_on")).to_have_value(str(wanted))
    publisher.turn_over("保存")
    expect(page.locator("#expected_on")).to_have_value(str(wanted))


def test_an_empty_date_field_opens_on_today_and_a_range_has_two_calendars(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """申请起止日期: each of the two has its own; an empty field opens on today, the day of 北京时间."""
    make_application(status="pending")
    publisher = browse_as("publisher")
    page = publisher.page
    for name in ("申请日期", "申请日期至"):
        page.get_by_role("button", name=f"打开日历：{name}", exact=True).click()
        assert day(page) == str(clock.today())
        expect(page.locator("#calendar td[aria-current=date]")).to_be_focused()
        page.keyboard.press(" ")
    publisher.turn_over("查询")
    assert f"since={clock.today()}&until={clock.today()}" in page.url
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)


def test_a_period_button_fills_the_date_range_and_no_other_field(browse_as: BrowseAs) -> None:
    """By keyboard; the other day is emptied, for the word says both."""
    page = browse_as("publisher").page
    page.locator("#until").fill("2026-01-31")
    page.locator("#since").press("Alt+ArrowDown")
    page.get_by_role("button", name="本季度", exact=True).press("Enter")
    expect(page.locator("#since")).to_have_value("本季度")
    expect(page.locator("#since")).to_be_focused()
    expect(page.locator("#until")).to_have_value("")
    page.keyboard.press("Enter")
    page.wait_for_url("**since=**")
    expect(page.locator("#since")).to_have_value("本季度")
    expect(page.locator("#until")).to_have_value("")
    page.locator("#until").press("Alt+ArrowDown")
    expect(page.get_by_role("button", name="本季度", exact=True)).to_be_hidden()
