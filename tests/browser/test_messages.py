"""消息 and 通知公告 with the keyboard alone, and how they look on a desk and on a telephone."""

from flask import Flask
from playwright.sync_api import expect

from models import clock
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.browser.test_desk import enter, tab_to
from tests.browser.test_pages import reads_well
from tests.cast import announced
from tests.conftest import MakeApplication


def test_the_bell_leads_to_a_returned_application_and_back(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """The bell counts down as messages are opened, and is empty once all are read."""
    make_application(status="returned", title="昆曲《牡丹亭》")
    make_application(status="filed", title="评弹《珍珠塔》")
    page = browse_as("publisher").page
    page.goto("/desk/")
    bell = page.get_by_role("link", name="消息")
    expect(bell).to_have_accessible_name("消息，2 条未读")
    enter(page, bell)
    expect(page.locator("tbody .col-sentence")).to_contain_text(["评弹《珍珠塔》", "昆曲《牡丹亭》"])
    enter(page, page.get_by_role("link", name="已退回"))
    expect(page.locator(".opinion")).to_contain_text("材料需要核对。")
    expect(bell).to_have_accessible_name("消息，1 条未读")
    enter(page, page.get_by_role("link", name="返回列表"))
    everything = page.get_by_role("button", name="全部标为已读")
    tab_to(page, everything)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("已将 1 条消息标为已读。")
    expect(bell).to_have_accessible_name("消息")
    expect(everything).to_be_disabled()


def test_an_operator_publishes_an_announcement_with_the_keyboard_and_a_publisher_reads_it(browse_as: BrowseAs) -> None:
    operator = browse_as("operator").page
    operator.goto("/announcements/")
    enter(operator, operator.get_by_role("link", name="新建"))
    tab_to(operator, operator.locator("#title"))
    operator.keyboard.type("系统维护")
    operator.keyboard.press("Tab")
    operator.keyboard.type("本周六停机。")
    tab_to(operator, operator.get_by_label("出版单位"))
    operator.keyboard.press("Space")
    tab_to(operator, operator.locator("#until"))
    operator.keyboard.type(str(clock.today()))
    tab_to(operator, operator.get_by_role("button", name="保存"))
    with operator.expect_navigation():
        operator.keyboard.press("Enter")
    expect(operator.locator(".model-list")).to_contain_text("显示中")
    publisher = browse_as("publisher").page
    publisher.goto("/desk/")
    enter(publisher, publisher.get_by_role("link", name="系统维护"))
    expect(publisher.get_by_role("article")).to_contain_text("本周六停机。")
    operator.get_by_role("button", name="撤回").click()
    operator.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(operator.locator(".model-list")).to_contain_text("已撤回")


def test_every_page_of_messages_and_announcements_has_no_accessibility_flaws(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """axe and the checks of every page, in a desktop and a phone window."""
    make_application(status="customs_failed")
    key, _messages = announced(app, text="很长的一段话。" * 60)
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")
    pages = {
        "publisher": ["/messages/", f"/messages/announcement/?id={key}", "/messages/mail/", "/desk/"],
        "reviewer": ["/messages/", "/messages/feed/"],
        "operator": ["/announcements/", "/announcements/new/", f"/announcements/edit/?id={key}", "/handbook/"],
    }
    for username, addresses in pages.items():
        page = browse_as(username).page
        for address in addresses:
            page.goto(address)
            flawless(page, address)
            reads_well(page)
            page.set_viewport_size({"width": 390, "height": 800})
            flawless(page, f"{address} on a telephone")
            page.set_viewport_size({"width": 1360, "height": 900})
    page.goto("/announcements/new/")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".note.error").first).to_be_visible()
    flawless(page, "an announcement that lacks everything")
