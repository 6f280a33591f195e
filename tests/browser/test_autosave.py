"""自动保存 in a browser: its time is shown, it survives a closed tab, and stops after another window has saved.

On SQLite alone: what is tried here is a script in a browser.
"""

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from models.acts import drafts
from tests.browser.conftest import BrowseAs
from tests.browser.person import Person
from tests.browser.sheet import clipboard_text, fill_in, paste
from tests.browser.test_accessibility import flawless
from tests.browser.test_signed_out import session_ends, signs_in_over_the_page
from tests.cast import small_pdf
from tests.conftest import MakeApplication, StoredRows

AT = re.compile(r"已自动保存 \d\d:\d\d，")
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def autosave(page: Page, key: int, title: str) -> None:
    """Open the draft, type its title, and wait until the server has stored it; the time shown may be an earlier one."""
    page.goto(f"/applications/edit/?id={key}")
    with page.expect_response("**/autosave/**"):
        page.locator("#title").fill(title)
    expect(page.locator(".autosaved")).to_have_text(AT)


def test_a_closed_tab_loses_nothing(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    app.config["AUTOSAVE_SECONDS"] = 1
    key = make_application(carriers=1)
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={key}")
    page.locator("#title").fill("写了一半的名称")
    page.locator("#carriers-0-quantity").fill("12,5")
    expect(page.locator(".autosaved")).to_have_text(AT)
    page.close()
    assert stored_rows(key)["application"][0]["title"] == "黑胶唱片《茉莉花》"
    page = publisher.page = publisher.context.new_page()
    page.goto(f"/applications/edit/?id={key}")
    expect(page.locator("#title")).to_have_value("写了一半的名称")
    expect(page.locator("#carriers-0-quantity")).to_have_value("12,5")
    flawless(page, "a form filled again from the stored text")
    publisher.turn_over("保存")
    expect(page.get_by_text("还没有写入申请")).to_have_count(0)
    record = stored_rows(key)
    assert record["application"][0]["title"] == "写了一半的名称" and record["typed_form"] == []


def test_a_blank_form_becomes_one_draft(app: Flask, browse_as: BrowseAs, stored_rows: StoredRows) -> None:
    app.config["AUTOSAVE_SECONDS"] = 1
    page = browse_as("publisher").page
    page.goto("/applications/new/")
    page.locator("#title").fill("新的作品")
    expect(page.locator(".autosaved")).to_have_text("已自动保存为暂存的申请。")
    page.wait_for_url("**/applications/edit/?id=*")
    page.locator("#title").fill("新的作品，第二稿")
    expect(page.locator(".autosaved")).to_have_text(AT)
    record = stored_rows(1)
    assert [entry["act"] for entry in record["trail_entry"]] == ["start", "edit"]
    assert record["typed_form"][0]["fields"]["title"] == "新的作品，第二稿" and not stored_rows(2)["application"]


def test_rows_pasted_into_a_blank_form_are_autosaved(app: Flask, browse_as: BrowseAs, stored_rows: StoredRows) -> None:
    """They take the place of the blank first row, whose number is missing then; one of them is deleted later."""
    app.config["AUTOSAVE_SECONDS"] = 1
    publisher = browse_as("publisher")
    publisher.page.goto("/applications/new/")
    rows: list[list[object]] = [["规格型号", "进口数量", "单位"], *([f"第 {n} 卷", n, "张"] for n in (1, 2, 3))]
    page = paste(publisher, clipboard_text(rows))
    fill_in(publisher)
    expect(page.locator(".autosaved")).to_have_text("已自动保存为暂存的申请。")
    page.locator("#title").fill("粘贴之后")
    expect(page.locator(".autosaved")).to_have_text(AT)
    publisher.press("删除", page.locator("tr.inline-row:visible").nth(1))
    publisher.answer("确定")
    publisher.turn_over("保存")
    assert [row["specification"] for row in stored_rows(1)["carrier"]] == ["第 1 卷", "第 3 卷"]


def test_a_second_window_stops_autosaving_and_a_failed_autosave_is_retried(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The second window stops and shows why; a failed autosave is repeated, and 保存 works meanwhile."""
    app.config["AUTOSAVE_SECONDS"] = 1
    key = make_application()
    publisher = browse_as("publisher")
    one, two = publisher.page, publisher.context.new_page()
    for page in (one, two):
        page.goto(f"/applications/edit/?id={key}")
    one.route("**/autosave/**", lambda route: route.abort())
    one.locator("#title").fill("第一个窗口")
    expect(one.locator(".autosaved")).to_contain_text("自动保存没有成功")
    publisher.complaints.clear()  # of the requests that we broke
    one.unroute("**/autosave/**")
    expect(one.locator(".autosaved")).to_have_text(AT)
    two.locator("#title").fill("第二个窗口")
    expect(two.get_by_role("alert").filter(has_text="在另一个窗口自动保存")).to_be_visible()
    assert stored_rows(key)["typed_form"][0]["fields"]["title"] == "第一个窗口"
    publisher.complaints.clear()  # of the conflict
    with two.expect_navigation():
        two.get_by_role("button", name="保存", exact=True).click()
    assert stored_rows(key)["application"][0]["title"] == "第二个窗口"


def test_restored_text_that_this_window_has_continued_is_discarded(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    app.config["AUTOSAVE_SECONDS"] = 1
    key = make_application()
    publisher = browse_as("publisher")
    page = publisher.page
    for title in ("写了一半", "写了一半，续"):
        autosave(page, key, title)
    publisher.turn_over("放弃这些内容")
    expect(page.get_by_text("已放弃自动保存的内容")).to_be_visible()
    expect(page.locator("#title")).to_have_value("黑胶唱片《茉莉花》")
    assert stored_rows(key)["typed_form"] == []


def test_nothing_is_stored_anew_while_text_is_being_discarded(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The time of the next autosave comes while the server is still busy with 放弃."""
    app.config["AUTOSAVE_SECONDS"] = 1
    key, page = make_application(), browse_as("publisher").page
    page.on("dialog", lambda question: question.accept())
    autosave(page, key, "写了一半")
    page.goto(f"/applications/edit/?id={key}")
    sent: list[Route] = []
    page.route("**/autosave/**", lambda route: sent.append(route))
    page.locator("#title").fill("写了一半，续")
    page.get_by_role("button", name="放弃这些内容").click(no_wait_after=True)
    page.wait_for_timeout(2000)
    assert ["discard=1" in (route.request.post_data or "") for route in sent] == [True]
    sent[0].continue_()
    expect(page.get_by_text("已放弃自动保存的内容")).to_be_visible()
    assert stored_rows(key)["typed_form"] == []


def test_autosave_goes_on_once_the_reason_of_a_refusal_is_cured(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["AUTOSAVE_SECONDS"] = 1
    monkeypatch.setattr(drafts, "MOST_CARRIERS", 1)
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={make_application(carriers=1)}")
    publisher.press("复制", page.locator("tr.inline-row").first)
    refusal = page.get_by_role("alert").filter(has_text="最多录入 1 条")
    expect(refusal).to_be_visible()
    publisher.press("删除", page.locator("tr.inline-row").last)
    publisher.answer("确定")
    expect(page.locator(".autosaved")).to_have_text(AT)
    expect(refusal).to_have_count(0)


def test_autosave_of_a_blank_form_tells_why_no_draft_can_be_made(
    app: Flask, browse_as: BrowseAs, monkeypatch: pytest.MonkeyPatch, stored_rows: StoredRows
) -> None:
    """As in a draft: the sentence, again and again until it is cured; then the draft is made."""
    app.config["AUTOSAVE_SECONDS"] = 1
    monkeypatch.setattr(drafts, "MOST_CARRIERS", 1)
    publisher = browse_as("publisher")
    page, alert = publisher.page, publisher.page.locator(".autosaved[role=alert]")
    page.goto("/applications/new/")
    page.locator("#title").fill("名" * 4001)
    expect(alert).to_have_text("商品名称：现在 4001 字，超过 4000 字的不能暂存，请删减后再保存。")
    page.locator("#title").fill("名称")
    rows = page.locator("tr.inline-row:visible")
    publisher.press("新增一行")
    for place in range(2):
        rows.nth(place).get_by_label("规格型号").fill("CD")
    expect(alert).to_contain_text("最多录入 1 条")
    flawless(page, "a blank form that could not be autosaved")
    assert not stored_rows(1)["application"]
    publisher.complaints.clear()
    publisher.press("删除", rows.last)
    publisher.answer("确定")
    expect(page.locator(".autosaved")).to_have_text("已自动保存为暂存的申请。")
    assert stored_rows(1)["application"][0]["title"] == "名称"


def types_as_the_session_ends(app: Flask, person: Person, form: str) -> None:
    """The publisher opens a form; its session ends, and a title is typed, which autosave sends a second later."""
    app.config["AUTOSAVE_SECONDS"] = 1
    person.page.goto(form)
    session_ends(app, "publisher")
    person.page.locator("#title").fill("写到一半登录结束")


@pytest.mark.parametrize("blank", [True, False])
def test_a_session_that_ends_while_typing_loses_nothing(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows, blank: bool
) -> None:
    """Autosave asks for the password over the page, once; after 取消 it tells why it stops, and 保存 asks again."""
    key = 1 if blank else make_application()
    publisher = browse_as("publisher")
    page, again = publisher.page, publisher.page.locator("#again")
    types_as_the_session_ends(app, publisher, "/applications/new/" if blank else f"/applications/edit/?id={key}")
    publisher.press("取消", again)
    note = page.locator(".autosaved")
    expect(note).to_contain_text("这次登录已结束")
    page.locator("#title").fill("写到一半登录结束，接着写")
    page.wait_for_timeout(2500)
    expect(again).to_have_count(0)
    publisher.press("保存")
    with page.expect_navigation():
        signs_in_over_the_page(publisher)
    assert stored_rows(key)["application"][0]["title"] == "写到一半登录结束，接着写"


def test_autosave_goes_on_after_signing_in_over_the_page(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, publisher = make_application(), browse_as("publisher")
    types_as_the_session_ends(app, publisher, f"/applications/edit/?id={key}")
    signs_in_over_the_page(publisher)
    expect(publisher.page.locator(".autosaved")).to_have_text(AT)
    assert stored_rows(key)["typed_form"][0]["fields"]["title"] == "写到一半登录结束"


def test_autosave_resumes_when_the_person_has_signed_in_for_something_else(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, publisher = make_application(), browse_as("publisher")
    types_as_the_session_ends(app, publisher, f"/applications/edit/?id={key}")
    publisher.press("取消", publisher.page.locator("#again"))
    publisher.attach("application_form", a=small_pdf("a"))
    signs_in_over_the_page(publisher)
    expect(publisher.page.locator(".autosaved")).to_have_text(AT)
    assert stored_rows(key)["typed_form"][0]["fields"]["title"] == "写到一半登录结束"
