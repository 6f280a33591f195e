"""Deciding with the keyboard alone: 常用意见, the bar of acts, attachments beside the fields, many at once."""

from playwright.sync_api import Locator, Page, expect

from models import opinions
from models.database import db
from models.vocabulary import Action
from tests.browser.conftest import Coming
from tests.browser.test_desk import enter, tab_to
from tests.conftest import Acting, Making


def keep(acting: Acting, act: Action, words: str) -> None:
    with acting("reviewer") as by:
        opinions.add(db.session(), act, words, by)
        db.session.commit()


def enter_backwards(page: Page, place: Locator) -> None:
    """Shift+Tab to a link above, press Enter, and wait for the page."""
    for _press in range(60):
        if place.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def open_case(page: Page, title: str) -> None:
    """From the queue, by the number of the row."""
    page.goto("/review/")
    row = page.locator("table.model-list tbody tr", has_text=title)
    enter(page, row.locator("a.number"))


def test_a_stock_opinion_is_put_in_at_the_cursor_and_sent_by_another_key(
    comes: Coming, make_application: Making, acting: Acting
) -> None:
    """Nothing that was typed is lost, not even where it is marked."""
    make_application(status="pending", title="昆曲《牡丹亭》")
    keep(acting, Action.RETURN, "请补充加工合同的中文译本。")
    keep(acting, Action.REFUSE, "内容不符合规定。")
    page = comes("reviewer").page
    open_case(page, "昆曲《牡丹亭》")
    tab_to(page, page.get_by_role("button", name="退回", exact=True))
    page.keyboard.press("Enter")
    text, sentence = page.locator("#ask textarea"), page.get_by_role("button", name="请补充加工合同的中文译本。")
    expect(page.get_by_role("button", name="内容不符合规定。")).to_have_count(0)
    tab_to(page, text)
    page.keyboard.type("另请核对版号。")
    page.keyboard.press("Control+a")
    tab_to(page, sentence)
    page.keyboard.press("Enter")
    expect(text).to_have_value("另请核对版号。\n请补充加工合同的中文译本。")
    expect(text).to_be_focused()
    page.keyboard.type("谢谢。")
    expect(text).to_have_value("另请核对版号。\n请补充加工合同的中文译本。谢谢。")
    expect(page.locator("h1")).to_contain_text("待审核")
    tab_to(page, page.locator("#ask [value=yes]"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".opinion").first).to_contain_text("另请核对版号。\n请补充加工合同的中文译本。谢谢。")


def test_a_case_is_read_beside_its_files_and_the_next_one_opened(comes: Coming, make_application: Making) -> None:
    """The bar stays in sight and hides nothing that has the focus; a file opens beside the fields and closes again."""
    for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》"):
        make_application(status="pending", title=title, carriers=12)
    page = comes("reviewer", width=1366, height=768).page
    open_case(page, "昆曲《牡丹亭》")
    link, viewer = page.locator("a[data-beside]").first, page.locator("#viewer")
    expect(viewer).to_be_hidden()
    bar = page.locator(".deciding-bar")
    tab_to(page, page.locator("a.act", has_text="下载").first)
    page.evaluate("element => scrollBy(0, element.getBoundingClientRect().top - 70)", link.element_handle())
    page.keyboard.press("Shift+Tab")  # to a link that lies under the bar
    expect(link).to_be_focused()
    expect(bar).to_be_in_viewport()
    under, focused = bar.bounding_box(), link.bounding_box()
    assert under and focused and focused["y"] >= under["y"] + under["height"]
    page.keyboard.press("Enter")
    expect(viewer.locator("iframe, img")).to_be_visible()
    expect(link).to_be_focused()
    expect(link).to_have_attribute("aria-current", "true")
    tab_to(page, viewer.get_by_role("button", name="关闭"))
    page.keyboard.press("Enter")
    expect(viewer).to_be_hidden()
    expect(link).to_be_focused()
    enter_backwards(page, page.get_by_role("link", name="下一件"))
    expect(page.locator("h1")).to_contain_text("评弹《珍珠塔》")
    enter(page, page.get_by_role("link", name="上一件"))
    expect(page.locator("h1")).to_contain_text("昆曲《牡丹亭》")


def test_many_are_returned_with_one_opinion_and_the_result_is_told_row_by_row(
    comes: Coming, make_application: Making, acting: Acting
) -> None:
    for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》", "越剧《红楼梦》"):
        make_application(status="pending", title=title)
    keep(acting, Action.RETURN, "请补充加工合同的中文译本。")
    page = comes("reviewer").page
    page.goto("/review/")
    rows = page.locator("table.model-list tbody tr")
    for place in (0, 1):
        tab_to(page, rows.nth(place).locator("input[name=pick]"))
        page.keyboard.press("Space")
    bar = page.locator("[data-bar=return]")
    for _press in range(30):
        if bar.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#ask .ask-words")).to_contain_text("所选 2 份申请")
    tab_to(page, page.get_by_role("button", name="请补充加工合同的中文译本。"))
    page.keyboard.press("Enter")
    tab_to(page, page.locator("#ask [value=yes]"))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("退回：办理结果")
    expect(page.locator("table.outcomes tbody tr")).to_have_count(2)
    expect(page.get_by_role("status").first).to_contain_text("已办理 2 份，没有办理 0 份")
    enter(page, page.get_by_role("link", name="返回列表"))
    expect(rows).to_have_count(1)
