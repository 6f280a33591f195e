"""Nothing typed is lost: the server is away, the session has ended, a dialog is closed, a file comes first."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conflict import meet_a_conflict
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.conftest import MakeApplication, StoredRows


def test_enter_in_any_field_saves_and_does_not_submit_the_application(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """手册 第一章: 申报 is a button that asks; Enter in a field, or a cell, is 保存; in a text it is a new line."""
    key = make_application()
    page = browse_as("publisher").page
    page.goto(f"/applications/edit/?id={key}")
    for field in ("#title", "#carriers-0-quantity", "#carriers-0-note"):
        page.locator(field).focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator(".alert-success")).to_contain_text("已于 ")
        expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("#summary").focus()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type("第二行")
    expect(page.locator("#summary")).to_have_value("江苏民歌选集，收录十二首。\n第二行")
    assert stored_rows(key)["application"][0]["status"] == "draft"


def test_a_save_without_a_server_leaves_the_page_unchanged(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """保存 without an answer, then with a server error, then normally: the text stays until it is saved."""
    key = make_application()
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={key}")
    page.locator("#title").fill("断网时写的名称")
    note = page.locator(".foot").get_by_role("alert")
    answers = [
        (lambda route: route.abort(), "网络中断，请稍后重试。填写的内容都还在这个页面上。"),
        (lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"), "系统暂时没有响应，请稍后重试。"),
        (lambda route: route.fulfill(status=413, body='{"message": "太大了。"}'), "太大了。"),
        (
            lambda route: route.fulfill(status=503, body='{"message": "稍后。", "incident": "8F97"}'),
            "事件编号 8F97。填写",
        ),
    ]
    for answer, sentence in answers:
        page.route("**/applications/edit/**", answer)
        publisher.press("保存")
        expect(note).to_contain_text(sentence)
        expect(note).to_have_count(1)
        page.unroute("**/applications/edit/**")
        expect(page.locator("#title")).to_have_value("断网时写的名称")
    publisher.complaints.clear()  # the failures that this test has made
    publisher.turn_over("保存")
    expect(page.locator(".alert-success")).to_contain_text("已于 ")
    assert stored_rows(key)["application"][0]["title"] == "断网时写的名称"


def test_a_refused_form_shows_what_is_wrong_and_warns_before_it_is_left(browse_as: BrowseAs) -> None:
    """An operator's form is saved whole or not at all: the list leads to each field, and leaving asks first."""
    operator = browse_as("operator")
    page = operator.page
    page.goto("/accounts/new/")
    page.get_by_label("姓名").fill("钱江")
    operator.press("保存")
    expect(page.locator("#missing")).to_be_focused()
    page.locator("#missing").get_by_role("link", name="用户名").press("Enter")
    expect(page.locator("#username")).to_be_focused()
    expect(page.get_by_label("姓名")).to_have_value("钱江")
    asked: list[str] = []
    page.once("dialog", lambda question: (asked.append(question.type), question.dismiss()))
    page.get_by_role("link", name="返回列表").click()
    expect(page.get_by_label("姓名")).to_have_value("钱江")
    assert asked == ["beforeunload"]
    page.locator("#username").fill("qianjiang")
    operator.pick("role", "国家", "国家查询")
    operator.turn_over("保存")
    expect(page.locator(".alert-success")).to_have_text("已保存。")


@pytest.mark.parametrize("typed", ["qianjiang", ""])
def test_a_refused_save_is_sent_once_and_the_page_goes_on(browse_as: BrowseAs, typed: str) -> None:
    """422 in place of the page: one POST, and combobox, list of faults and a second 保存 work in what came."""
    operator = browse_as("operator")
    page, posts = operator.page, list[str]()
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.goto("/accounts/new/")
    page.get_by_label("姓名").fill("钱江")
    page.locator("#username").fill(typed)
    for count in (1, 2):
        operator.press("保存")
        expect(page.locator("#missing")).to_be_focused()
        expect(page.get_by_label("姓名")).to_have_value("钱江")
        assert len(posts) == count
    flawless(page, "the answer to a refused save")
    page.locator("#username").fill("qianjiang")
    operator.pick("role", "国家", "国家查询")
    operator.turn_over("保存")
    expect(page.locator(".alert-success")).to_have_text("已保存。")
    assert len(posts) == 3


def test_a_conflict_is_sent_once_and_saved_knowingly(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """409 in place of the page: calendar, rows, combobox and files work in it, and no typed text is lost."""
    key = make_application(carriers=1)
    publisher = browse_as("publisher")
    page, posts = publisher.page, list[str]()
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    meet_a_conflict(publisher, key)
    assert len(posts) == 1
    expect(page.locator("#title")).to_have_value("我的名称")
    publisher.press("新增一行")
    row = page.locator("tr.inline-row").nth(1)
    for label, text in (("规格型号", "第 2 卷"), ("进口数量", "20"), ("单位", "010-张")):
        row.get_by_label(label, exact=True).fill(text)
    publisher.pick("country", "日", "JPN-日本")
    page.get_by_role("button", name="打开日历：预计进口日期").click()
    page.keyboard.press("Enter")
    publisher.turn_over("保存")
    expect(page.locator(".alert-success")).to_contain_text("已于 ")
    record = stored_rows(key)
    assert [record["application"][0][name] for name in ("title", "country")] == ["我的名称", "JPN"]
    assert [row["specification"] for row in record["carrier"]][1:] == ["第 2 卷"]
    assert len(posts) == 2


def test_a_save_whose_response_was_lost_is_not_repeated(browse_as: BrowseAs, stored_rows: StoredRows) -> None:
    """The server had committed before the network failed: pressing 保存 again repeats nothing."""
    publisher = browse_as("publisher")
    page = publisher.page
    page.get_by_role("link", name="备案证明申请").click()
    page.locator("#title").fill("只有一份")
    publisher.press("新增一行")
    for place in range(2):
        row = page.locator("tr.inline-row:visible").nth(place)
        row.get_by_label("规格型号").fill(f"第 {place + 1} 卷")

    def abort_after_commit(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/applications/new/", abort_after_commit, times=1)
    publisher.press("保存")
    expect(page.locator(".foot").get_by_role("alert")).to_contain_text("网络中断")
    publisher.turn_over("保存")
    record = stored_rows(int(page.url.rpartition("=")[2]))
    assert [each["specification"] for each in record["carrier"]] == ["第 1 卷", "第 2 卷"]
    page.get_by_role("link", name="查询", exact=True).click()
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
    publisher.complaints.clear()  # the broken line that this test has made


def test_a_closed_dialog_opens_again_with_its_typed_text(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Esc, 取消, and a server that is away: the opinion is there when the dialog opens again."""
    key = make_application(status="pending")
    province = browse_as("reviewer")
    page, dialog = province.page, province.page.locator("#ask")
    page.goto("/review/")
    row = page.locator("table.model-list tbody tr").first
    province.press("退回", row)
    dialog.get_by_label("意见").fill("第三页的歌词需要核对。")
    page.keyboard.press("Escape")
    expect(row.get_by_role("button", name="退回")).to_be_focused()
    province.press("准予备案", row)
    expect(dialog.get_by_label("意见")).to_have_value("")
    province.answer("取消")
    province.press("退回", row)
    expect(dialog.get_by_label("意见")).to_have_value("第三页的歌词需要核对。")
    province.answer("取消")
    page.goto(f"/review/details/?id={key}")
    page.get_by_label("办理意见", exact=True).fill("第三页的歌词需要核对。")
    page.locator(".decision-grounds summary").click()
    page.locator(".decision-grounds").get_by_label("宣扬邪教、迷信").check()
    province.press("不予备案")
    expect(dialog.locator(".ask-words")).to_contain_text("宣扬邪教、迷信\n\n第三页的歌词需要核对。")
    page.route("**/review/refuse/**", lambda route: route.abort())
    province.answer("确定")
    expect(page.get_by_role("alert")).to_contain_text("网络中断")
    page.unroute("**/review/refuse/**")
    province.complaints.clear()
    province.press("不予备案")
    with page.expect_navigation():
        province.answer("确定")
    expect(page.locator(".result")).to_contain_text("已不予备案")
    flawless(page, "the result of an act")
    assert "第三页的歌词需要核对。" in stored_rows(key)["trail_entry"][-1]["opinion"]


def test_enter_on_the_first_focus_of_a_dialog_changes_nothing(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """退回, 准予, 作废, 删除, 申报, a row, a file, 重置密码: Enter on the first focus changes nothing."""
    draft, pending, filed = make_application(), make_application(status="pending"), make_application(status="filed")
    province, publisher, operator = browse_as("reviewer"), browse_as("publisher"), browse_as("operator")
    for person, address, names in (
        (province, f"/review/details/?id={pending}", ("退回", "不予受理", "不予备案", "准予备案")),
        (province, f"/filings/details/?id={filed}", ("作废",)),
        (publisher, f"/applications/edit/?id={draft}", ("申报", "删除")),
        (operator, "/accounts/", ("重置密码",)),
    ):
        person.page.goto(address)
        place = person.page.locator(".foot, .page-bar, .decision, .model-list tbody tr:first-child")
        if person is province and "review" in address:
            person.page.get_by_label("办理意见", exact=True).fill("请核对。")
        for name in names:
            starts_on_no(person.page, place.get_by_role("button", name=name, exact=True))
    publisher.page.goto(f"/applications/edit/?id={draft}")
    starts_on_no(publisher.page, publisher.page.locator("[data-delete-row]:visible"))
    starts_on_no(publisher.page, publisher.page.locator("#file-licence").get_by_role("button", name="移除"))


def starts_on_no(page: Page, button: object) -> None:
    """Enter opens the question on 取消, Tab leads to 确定 at its right, Enter on 取消 closes it and returns."""
    button.focus()  # type: ignore[attr-defined]
    page.keyboard.press("Enter")
    no, yes = (page.locator("#ask").get_by_role("button", name=name) for name in ("取消", "确定"))
    expect(no).to_be_focused()
    page.keyboard.press("Tab")
    expect(yes).to_be_focused()
    left, right = no.bounding_box(), yes.bounding_box()
    assert left and right and left["x"] < right["x"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#ask")).to_be_hidden()
    expect(button).to_be_focused()  # type: ignore[arg-type]
