"""工作台 with the keyboard alone, from a figure to its list and from a row to its page."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import BrowseAs
from tests.conftest import MakeApplication

MOST_TABS = 60


def tab_to(page: Page, place: Locator) -> None:
    """Press Tab until `place` has the focus."""
    for _press in range(MOST_TABS):
        if place.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {place}")


def enter(page: Page, place: Locator) -> None:
    """Tab to a link, press Enter, and wait for the page."""
    tab_to(page, place)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_publisher_goes_from_the_desk_to_a_returned_application(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """The opinion is read on the desk; the figure leads to the list with its filter, the number to the form."""
    make_application(status="returned", title="昆曲《牡丹亭》")
    make_application(title="评弹《珍珠塔》")
    page = browse_as("publisher").page
    page.goto("/desk/")
    expect(page.locator("blockquote")).to_have_text("材料需要核对。")
    enter(page, page.locator(".figures a").filter(has_text="退回"))
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
    expect(page.locator("table.model-list tbody tr")).to_contain_text("昆曲《牡丹亭》")
    page.go_back()
    enter(page, page.locator(".desk-lines li").filter(has_text="昆曲《牡丹亭》").get_by_role("link"))
    expect(page.get_by_label("商品名称")).to_have_value("昆曲《牡丹亭》")
    expect(page.locator(".opinion")).to_contain_text("材料需要核对。")
    expect(page.locator(".deadline")).to_contain_text("已停止")


def test_a_new_user_starts_a_filing_from_the_empty_desk(browse_as: BrowseAs) -> None:
    page = browse_as("publisher2").page
    page.goto("/desk/")
    enter(page, page.get_by_role("link", name="新建申请"))
    expect(page.get_by_role("heading", level=1)).to_have_text("备案证明申请")


def test_a_reviewer_goes_from_the_most_urgent_case_on_the_desk_to_its_page_and_back(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    make_application(status="pending", title="昆曲《牡丹亭》")
    page = browse_as("reviewer").page
    page.goto("/desk/")
    expect(page.get_by_role("navigation").get_by_role("link", name="待审核")).to_contain_text("1")
    enter(page, page.locator(".desk-lines").get_by_role("link"))
    expect(page.locator(".deadline")).to_contain_text("还剩 20 个工作日")
    enter(page, page.get_by_role("link", name="返回列表"))
    expect(page).to_have_url("/desk/")
    enter(page, page.locator(".figures a").filter(has_text="待审核"))
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
