"""The operator's registers, calendar, notices, sessions and logs with the keyboard alone, each state before axe.

On SQLite alone: a database adds nothing.
"""

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from models import clock
from tests.browser.attentive import AttentiveUser
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.conftest import MakePdf
from tests.views.screens.test_online import wrong

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def paused(app: Flask) -> str:
    """The user name of an account that somebody has tried wrong passwords for."""
    wrong(app, "publisher")
    return "publisher"


@pytest.fixture
def operator(paused: str, browse_as: BrowseAs) -> AttentiveUser:
    """The operator, signed in; an account is paused."""
    return AttentiveUser(browse_as("operator"))


def rows(page: Page) -> Locator:
    return page.locator("table.model-list tbody tr")


def notice(*days: str) -> bytes:
    """A file with these lines under its head."""
    return "\r\n".join(("日期,类别,节日", *days)).encode()


def test_a_notice_of_holidays_is_imported_after_its_doubts_are_confirmed(operator: AttentiveUser) -> None:
    """A bad row is refused by a sentence with its number; doubts must be ticked; then the days are in the list."""
    page, year = operator.page, clock.today().year + 1
    operator.menu("工作日历")
    flawless(page, "the calendar")
    preview_of_file(operator, notice(f"{year}-13-01,放假,元旦"))
    expect(page.locator(".alert-danger").filter(has_text="第 2 行")).to_contain_text("没有这一天")
    flawless(page, "a bad row")
    preview_of_file(operator, notice(f"{year}-01-01,放假,元旦", f"{year}-10-01,放假,国庆节"))
    expect(page.locator("main")).to_contain_text("没有提到")
    operator.flawless("a preview with doubts")
    operator.enter(page.get_by_role("button", name="确定导入"))
    tick = page.get_by_label("我已核对")
    expect(tick).to_be_focused()
    flawless(page, "doubts not confirmed")
    operator.press("Space")
    expect(tick).to_be_checked()
    operator.enter(page.get_by_role("button", name="确定导入"))
    expect(page.get_by_role("status").filter(has_text="已导入")).to_contain_text(f"{year} 年的安排共 2 天")
    expect(rows(page).first).to_contain_text(f"{year}-10-01")


def preview_of_file(operator: AttentiveUser, content: bytes) -> None:
    """Choose a file and press 预览."""
    chooser = operator.page.get_by_label("选择文件")
    operator.choose_file(chooser, "放假安排.csv", content)
    expect(operator.page.locator("form.import label")).to_contain_text("放假安排.csv")
    operator.enter(operator.page.get_by_role("button", name="预览"))


def test_a_blank_form_is_offered_replaced_and_removed(operator: AttentiveUser, make_pdf: MakePdf) -> None:
    """Without a file the focus goes to the box; what is no PDF is refused; 移除 asks first."""
    page = operator.page
    operator.menu("空白表格")
    flawless(page, "no blank forms")
    row = page.locator("table.blanks tbody tr").first
    operator.activate(row.get_by_role("button", name="上传"))
    expect(row.locator("input[type=file]")).to_be_focused()
    for name, content, words in (
        ("申请表.doc", b"no paper", "不是 PDF"),
        ("申请表.pdf", make_pdf("form"), "已保存，申请单位现在可以下载"),
    ):
        operator.choose_file(row.locator("input[type=file]"), name, content)
        expect(row.locator("label")).to_contain_text(name)
        operator.enter(row.get_by_role("button", name="上传"))
        expect(page.locator("main .alert")).to_contain_text(words)
        flawless(page, name)
    remove = row.get_by_role("button", name="移除")
    operator.activate(remove)
    expect(page.locator("#ask")).to_contain_text("申请单位将不能再下载")
    operator.press("Escape")
    expect(remove).to_be_focused()
    operator.press("Enter")
    operator.agree_to("申请单位将不能再下载")
    expect(page.locator("main .alert")).to_contain_text("不再提供空白表格")
    expect(row.get_by_role("button", name="上传")).to_be_visible()


def test_an_account_is_added_a_paused_one_unlocked_and_a_session_ended(
    operator: AttentiveUser, paused: str, browse_as: BrowseAs
) -> None:
    """An incomplete account is listed with what it lacks; 解锁 and 强制下线 ask; one's own session cannot be ended."""
    page, reviewer = operator.page, browse_as("reviewer")
    operator.menu("账号")
    operator.enter(page.get_by_role("link", name="新建"))
    operator.write(page.locator("#username"), "xinren")
    operator.press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    flawless(page, "an incomplete account")
    operator.activate(page.locator("#missing").get_by_role("link").first)
    expect(page.locator("#name")).to_be_focused()
    operator.type("钱江")
    for field, option in (("role", "省级审核"), ("province", "330000-浙江省")):
        operator.choose(field, option)
        expect(page.locator(f"#{field}")).to_have_value(option)
    operator.enter(page.get_by_role("button", name="保存"))
    expect(page.locator(".alert-warning")).to_contain_text("xinren 的一次性密码")
    flawless(page, "a password that is shown once")
    operator.menu("在线用户")
    operator.flawless("a paused account")
    operator.activate(page.get_by_role("button", name="解锁"))
    operator.agree_to(f"确定要解除 {paused} 的登录限制吗")
    expect(page.locator("main .alert").first).to_contain_text("登录限制已解除")
    expect(page.get_by_role("heading", name="登录受限")).to_have_count(0)
    own = rows(page).filter(has_text="孙维").get_by_role("button", name="强制下线")
    operator.activate(own)
    operator.answer_told("这是您本次的登录", own)
    operator.activate(rows(page).filter(has_text="陈静").get_by_role("button", name="强制下线"))
    operator.agree_to("确定要让 reviewer 立即下线吗")
    expect(page.locator("main .alert").first).to_contain_text("reviewer 已下线。")
    flawless(page, "a session ended")
    reviewer.page.reload()
    expect(reviewer.page.locator("main")).to_contain_text("系统管理员已结束这次登录")
    flawless(reviewer.page, "signed out by the operator")


def test_an_announcement_is_corrected_published_and_withdrawn(operator: AttentiveUser) -> None:
    """What is missing is listed with links; 撤回 asks; its trail is on its page."""
    page = operator.page
    operator.menu("通知公告")
    flawless(page, "no announcements")
    operator.enter(page.get_by_role("link", name="新建"))
    operator.write(page.locator("#title"), "系统维护")
    operator.press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    expect(page.locator("#title")).to_have_value("系统维护")
    operator.flawless("an incomplete announcement")
    operator.write(page.locator("#text"), "本周六停机。")
    operator.activate(page.get_by_label("省级审核"), "Space")
    operator.write(page.locator("#until"), str(clock.today()))
    operator.enter(page.get_by_role("button", name="保存"))
    expect(rows(page)).to_contain_text("显示中")
    flawless(page, "an announcement published")
    operator.activate(rows(page).get_by_role("button", name="撤回"))
    operator.agree_to("撤回后不再显示，不能恢复")
    expect(rows(page)).to_contain_text("已撤回")
    operator.enter(rows(page).get_by_role("link").first)
    expect(page.locator("ol.trail")).to_contain_text("撤回")
    flawless(page, "an announcement withdrawn")


def test_the_condition_is_read_and_logs_are_asked_and_exported(operator: AttentiveUser) -> None:
    """运行状态 leads to what it is about; a log finds a user, refuses a day that is none, and is a file."""
    page = operator.page
    operator.menu("运行状态")
    flawless(page, "the condition")
    operator.enter(page.locator("table.condition").get_by_role("link", name="查看").first)
    flawless(page, "what the condition leads to")
    operator.menu("登录日志")
    flawless(page, "the log of sign-ins")
    operator.write(page.locator("#since"), "去年春天")
    operator.press("Enter")
    expect(page.locator(".query .wrong [role=alert]")).to_be_visible()
    expect(page.locator("#since")).to_be_focused()
    flawless(page, "a day that is none")
    operator.write(page.locator("#since"), "本月")
    operator.write(page.locator("#username"), "publisher")
    with page.expect_navigation():
        operator.press("Enter")
    expect(rows(page).first).to_contain_text("publisher（王敏）")
    expect(rows(page).filter(has_text="operator")).to_have_count(0)
    flawless(page, "the sign-ins of one user")
    operator.tab_to(page.get_by_role("link", name="导出 CSV"))
    with page.expect_download() as download:
        operator.press("Enter")
    assert "publisher" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    operator.menu("打印与导出日志")
    expect(rows(page).first).to_contain_text("导出")
    flawless(page, "the log of exports")
