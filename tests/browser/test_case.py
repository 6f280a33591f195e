"""Deciding with the keyboard alone: 常用意见, the bar of acts, attachments beside the fields, many at once."""

import re
from datetime import timedelta

from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from models import access, clock, opinions
from models.application.lease import CaseLease
from models.database import db
from models.vocabulary import Action
from tests.browser.conftest import BrowseAs, in_whole_chromium
from tests.browser.test_desk import enter, tab_to
from tests.conftest import ActAs, MakeApplication, StoredRows


def add_stock_opinion(act_as: ActAs, act: Action, words: str) -> None:
    with act_as("reviewer") as by:
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


def test_a_stock_opinion_is_inserted_at_the_cursor_and_not_sent_by_the_same_key(
    browse_as: BrowseAs, make_application: MakeApplication, act_as: ActAs
) -> None:
    """No typed text is lost, not even selected text."""
    make_application(status="pending", title="昆曲《牡丹亭》")
    add_stock_opinion(act_as, Action.RETURN, "请补充加工合同的中文译本。")
    add_stock_opinion(act_as, Action.REFUSE, "内容不符合规定。")
    page = browse_as("reviewer").page
    open_case(page, "昆曲《牡丹亭》")
    text = page.get_by_label("办理意见", exact=True)
    tab_to(page, page.locator("summary", has_text="常用意见：退回"))
    sentence = page.get_by_role("button", name="请补充加工合同的中文译本。")
    expect(sentence).to_have_count(0)
    page.keyboard.press("Enter")
    tab_to(page, sentence)
    text.focus()
    page.keyboard.type("另请核对版号。")
    page.keyboard.press("Control+a")
    tab_to(page, sentence)
    page.keyboard.press("Enter")
    expect(text).to_have_value("另请核对版号。\n请补充加工合同的中文译本。")
    expect(text).to_be_focused()
    page.keyboard.type("谢谢。")
    expect(text).to_have_value("另请核对版号。\n请补充加工合同的中文译本。谢谢。")
    expect(page.locator("h1")).to_contain_text("待审核")
    tab_to(page, page.get_by_role("button", name="退回", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("#ask .ask-words")).to_contain_text("请补充加工合同的中文译本。谢谢。")
    expect(page.locator("#ask .ask-law:visible")).to_have_text(re.compile("一次写明需要补正的全部内容"))
    tab_to(page, page.locator("#ask [value=yes]"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".opinion").first).to_contain_text("另请核对版号。\n请补充加工合同的中文译本。谢谢。")


def test_a_half_typed_opinion_is_saved_for_its_case_and_person(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Over a reload in the midst of typing, an act without an opinion, and a refused one; no other case has it."""
    key, other = (make_application(status="pending", title=title) for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》"))
    person = browse_as("reviewer", width=390, height=844)
    page, text = person.page, person.page.get_by_label("办理意见", exact=True)
    page.goto(f"/review/details/?id={key}")
    page.get_by_role("link", name="填写意见并办理").click()
    person.press("退回")
    expect(page.get_by_role("status").filter(has_text="请填写意见")).to_be_visible()
    expect(text).to_be_focused()
    page.locator(".decision-grounds summary").click()
    text.focus()
    page.keyboard.type("请核对版号")
    page.locator("#decision [name=ground][value='6']").check()
    page.reload()
    expect(text).to_have_value("请核对版号")
    expect(page.locator("#decision [name=ground][value='6']")).to_be_checked()
    page.wait_for_load_state("networkidle")
    text.press("End")
    with page.expect_response("**/review/typed/**"):
        page.keyboard.type("，谢谢。")
        page.locator("#decision [name=ground][value='6']").uncheck()
    expect(page.locator("#opinion-note")).to_contain_text("自动保存")
    assert stored_rows(key)["typed_form"][0]["fields"]["opinion"] == "请核对版号，谢谢。"
    page.goto(f"/review/details/?id={other}")
    expect(text).to_have_value("")
    page.goto(f"/review/details/?id={key}")
    text.fill("长" * 2001)
    person.press("退回")
    person.answer("确定")
    expect(page.get_by_role("alert")).to_contain_text("2000 字")
    page.reload()
    expect(text).to_have_value("长" * 2001)
    text.fill("材料齐全，符合要求。")
    person.press("准予备案")
    with page.expect_navigation():
        person.answer("确定")
    expect(page.locator(".result")).to_contain_text("已准予备案")
    record = stored_rows(key)
    assert (record["trail_entry"][-1]["opinion"], record["typed_form"]) == ("材料齐全，符合要求。", [])


@in_whole_chromium
def test_working_on_a_case_renews_its_lease_and_a_lost_lease_is_shown(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """接办 by keyboard; pressing keys renews it, and so does reading a file in its frame, where nobody hears the keys;
    once it is another's the page says so, and asks no more."""
    key = make_application(status="pending")
    page = browse_as("reviewer").page
    page.clock.install()
    page.goto(f"/review/details/?id={key}")
    enter(page, page.get_by_role("button", name="接办"))
    note = page.locator("#lease")
    expect(note).to_contain_text("由您办理至")
    with app.app_context(), access.everything() as session:
        row = session.scalars(select(CaseLease)).one()
        row.until -= timedelta(minutes=20)
        session.commit()
    page.clock.fast_forward("03:00")
    with page.expect_response("**/review/renew/**"):
        page.keyboard.press("Tab")
    page.locator("a[data-beside]").first.click()
    page.locator("#viewer iframe").focus()
    page.clock.fast_forward("02:30")
    with page.expect_response("**/review/renew/**"):
        page.clock.fast_forward("02:30")
    with app.app_context(), access.everything() as session:
        lease = session.scalars(select(CaseLease)).one()
        assert lease.until > clock.now() + timedelta(minutes=25)
        session.delete(lease)
        session.commit()
    page.locator("#opinion").focus()
    page.clock.fast_forward("03:00")
    page.keyboard.press("Tab")
    expect(note).to_contain_text("不再由您办理")
    renewals: list[str] = []
    # Only these: the viewer of PDFs may still be fetching its file.
    page.on("request", lambda request: "/review/renew/" in request.url and renewals.append(request.url))
    page.clock.fast_forward("03:00")
    page.keyboard.press("Tab")
    page.wait_for_timeout(200)
    assert renewals == []


@in_whole_chromium
def test_a_case_is_read_beside_its_files_and_the_next_one_opened(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """The toolbar stays visible and covers no focused field; a file opens beside the fields and closes again."""
    for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》"):
        make_application(status="pending", title=title, carriers=12)
    page = browse_as("reviewer", width=1366, height=768).page
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
    expect(page.locator("#opinion")).to_be_in_viewport()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(viewer.locator("iframe, .viewer-body:has(img)")).to_be_focused()
    link.focus()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(link).to_have_attribute("aria-current", "true")
    tab_to(page, viewer.get_by_role("button", name="关闭"))
    page.keyboard.press("Enter")
    expect(viewer).to_be_hidden()
    expect(link).to_be_focused()
    enter_backwards(page, page.get_by_role("link", name="下一件"))
    expect(page.locator("h1")).to_contain_text("评弹《珍珠塔》")
    enter(page, page.get_by_role("link", name="上一件"))
    expect(page.locator("h1")).to_contain_text("昆曲《牡丹亭》")


def test_a_batch_return_sends_one_opinion_and_shows_a_result_for_each_row(
    browse_as: BrowseAs, make_application: MakeApplication, act_as: ActAs
) -> None:
    for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》", "越剧《红楼梦》"):
        make_application(status="pending", title=title)
    add_stock_opinion(act_as, Action.RETURN, "请补充加工合同的中文译本。")
    page = browse_as("reviewer").page
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


def test_stock_opinions_are_added_and_ordered_by_keyboard(browse_as: BrowseAs) -> None:
    """The page that a save leads to is the same one, and is loaded anew each time."""
    page = browse_as("reviewer").page
    page.goto("/province/opinions/")
    for words in ("甲。", "乙。"):
        tab_to(page, page.get_by_label("准予备案：新增一条", exact=True))
        page.keyboard.type(words)
        tab_to(page, page.get_by_role("button", name="添加 准予备案：新增一条"))
        page.keyboard.press("Enter")
        expect(page.get_by_label(re.compile(r"^准予备案：第 \d 条$")).last).to_have_value(words)
    tab_to(page, page.get_by_role("button", name="上移 准予备案：第 2 条"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("准予备案：第 1 条", exact=True)).to_have_value("乙。")
