"""Every state of every screen before axe (无障碍环境建设法 第三十二条, WCAG 2.2 AA): no violation, however small.

Rules: all of WCAG 2.0 to 2.2, A and AA, with target size, and axe's best practices. On SQLite alone.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from models import access, opinions
from models.vocabulary import Action
from tests.browser.conftest import BrowseAs
from tests.browser.test_pages import certificate_number  # noqa: F401
from tests.cast import account_of, make_papers
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def flawless(page: Page, state: str) -> None:
    """Assert that axe ran and found no violation."""
    found = Axe().run(page, options=RULES).response
    assert len(found["passes"]) > 10, state
    flaws = [
        (flaw["id"], node["html"][:200], node["failureSummary"])
        for flaw in found["violations"]
        for node in flaw["nodes"]
    ]
    assert flaws == [], state


def test_axe_finds_a_flaw_where_there_is_one(browse_as: BrowseAs) -> None:
    page = browse_as("publisher").page
    page.evaluate("document.querySelector('#title').labels[0].remove()")
    with pytest.raises(AssertionError, match="label"):
        flawless(page, "a field without its label")


def test_every_list_has_no_accessibility_flaws(app: Flask, certificate_number: str, browse_as: BrowseAs) -> None:  # noqa: F811
    """Every list, ticked, asked through its select, with its calendar open, empty, and at a telephone's width."""
    for username in ("publisher", "reviewer", "national", "operator"):
        page = browse_as(username).page
        for address in page.locator("#menu a").evaluate_all("links => links.map((link) => link.href)"):
            page.goto(address)
            flawless(page, address)
            page.set_viewport_size({"width": 390, "height": 800})
            flawless(page, f"{address} on a telephone")
            page.set_viewport_size({"width": 1360, "height": 900})
        page.set_viewport_size({"width": 390, "height": 800})
        page.get_by_role("button", name="菜单").click()
        flawless(page, f"the menu of {username} on a telephone")
    page = browse_as("publisher").page
    page.get_by_role("link", name="我的登录").click()
    flawless(page, "one's own sessions")
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")  # or no code can come
    page.goto("/messages/mail/")
    page.get_by_label("邮箱地址").fill("wang@example.cn")
    page.get_by_role("button", name="保存").click()
    page.get_by_label("确认码").fill("1")
    page.get_by_role("button", name="确认", exact=True).click()
    flawless(page, "a wrong code for an e-mail address")
    page.get_by_role("link", name="帮助").click()
    flawless(page, "操作说明")
    page.set_viewport_size({"width": 390, "height": 800})
    flawless(page, "操作说明 on a telephone")
    page.set_viewport_size({"width": 1360, "height": 900})
    page.goto("/applications/")
    page.get_by_label("全选本页").check()
    flawless(page, "ticked")
    page.locator("#status").click()
    flawless(page, "select open")
    page.keyboard.type("没有的")
    flawless(page, "nothing found")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="打开日历：申请日期", exact=True).click()
    flawless(page, "calendar open")
    page.goto("/applications/?title=没有的&since=昨天")
    flawless(page, "a question that makes no sense")


def test_the_application_form_has_no_flaws(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """Blank, with rows added, selects and calendar open, its dialogs, and its error messages."""
    person = browse_as("publisher")
    page = person.page
    page.goto("/applications/new/")
    flawless(page, "blank")
    for _row in range(2):
        person.press("新增一行")
    flawless(page, "rows added")
    for field in ("country", "carriers-2-unit"):
        page.locator(f"#{field}").click()
        flawless(page, f"{field} open")
        page.keyboard.type("没有的")
        flawless(page, f"{field} finds nothing")
        page.locator("#title").click()
        flawless(page, f"{field} says so")
    page.locator("#expected_on").press("Alt+ArrowDown")
    flawless(page, "calendar open")
    page.keyboard.press("Escape")
    person.press("删除", page.locator("tr.inline-row").first)
    flawless(page, "a row is to be deleted")
    page.keyboard.press("Escape")
    person.press("申报")
    flawless(page, "申报 asks")
    page.keyboard.press("Escape")
    page.locator("#title").fill("错误之多")
    page.locator("#hs_code").fill("1")
    page.locator("#carriers-0-quantity").fill("一")
    page.locator("#carriers-0-specification").fill("12 英寸")
    person.turn_over("保存")
    flawless(page, "errors")
    page.goto(f"/applications/edit/?id={make_application(title=None, port=None)}&check=1")
    flawless(page, "what is missing")


def test_the_details_page_and_dialogs_of_a_reviewer_have_no_accessibility_flaws(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """Opinion, grounds, reason, what each lacks, and progress."""
    pending = make_application(status="pending")
    with app.app_context(), access.as_seen_by(account_of("reviewer")) as session:
        for act in (Action.GRANT, Action.RETURN):
            opinions.add(session, act, "材料齐全。", account_of("reviewer"))
        session.commit()
    filed = [make_application(status="filed") for _ in range(2)]
    make_papers(app)
    person = browse_as("reviewer")
    page = person.page
    page.goto(f"/review/details/?id={pending}")
    flawless(page, "details of what waits")
    person.press("退回")
    flawless(page, "退回 lacks an opinion")
    for summary in page.locator(".decision summary").all():
        summary.click()
        flawless(page, "常用意见, grounds")
    page.get_by_label("办理意见", exact=True).fill("材料不全。")
    person.press("不予备案")
    flawless(page, "不予备案")
    page.keyboard.press("Escape")
    page.locator("a[data-beside]").first.click()
    flawless(page, "a file beside the opinion")
    person.turn_over("接办")
    flawless(page, "接办")
    page.set_viewport_size({"width": 390, "height": 844})
    flawless(page, "a case on a telephone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    bar, name = page.locator(".deciding-bar"), page.locator(".top .product")
    assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth"), "the bar of acts scrolls sideways"
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth"), "the product's name is cut"
    page.set_viewport_size({"width": 1360, "height": 900})
    page.goto("/review/")
    for act in ("退回", "准予备案"):
        person.press(act, page.locator("table.model-list"))
        flawless(page, f"{act} from the list")
        page.keyboard.press("Escape")
    page.goto(f"/filings/details/?id={filed[0]}")
    flawless(page, "details of what is filed")
    person.press("作废")
    flawless(page, "作废")
    person.answer("确定")
    flawless(page, "作废 lacks a reason")
    page.goto("/filings/")
    for key in filed:
        page.locator(f"input[name=pick][value='{key}']").check()
    person.press("打印", page.locator(".bar"))
    expect(page.get_by_role("dialog")).to_contain_text("2 / 2")
    flawless(page, "progress")


def test_the_page_of_a_customs_message_has_no_flaws(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """The page of one message, its original opened."""
    make_application(status="customs_failed")
    page = browse_as("reviewer").page
    page.goto("/exchange/")
    page.get_by_role("link", name="查看").first.click()
    page.locator("summary").first.click()
    flawless(page, "one message")


def test_the_forms_of_the_operator_have_no_accessibility_flaws(browse_as: BrowseAs) -> None:
    """Each form blank, with its selects open, and with its errors; the import of districts refused."""
    person = browse_as("operator")
    page = person.page
    for screen, field in (("accounts", "organisation"), ("organisations", "trade"), ("entrustments", "publisher")):
        page.goto(f"/{screen}/new/")
        flawless(page, screen)
        page.locator(f"#{field}").click()
        expect(page.get_by_role("option").first).to_be_visible()
        flawless(page, f"{screen}, {field} open")
        page.keyboard.press("Escape")
        page.locator("form.register-form").evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
        expect(page.locator(".note.error").first).to_be_visible()
        flawless(page, f"{screen}, errors")
    page.goto("/districts/")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"code,name\nx,y"}
    )
    flawless(page, "a table chosen")
    person.turn_over("预览")
    flawless(page, "a table refused")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": "代码,名称\n0100,北京关区\n9999,新关区".encode()}
    )
    person.turn_over("预览")
    flawless(page, "what a table would change")
    person.turn_over("确定导入")
    flawless(page, "a table that has to be confirmed")


def test_public_pages_have_no_accessibility_flaws(certificate_number: str, browse_as: BrowseAs) -> None:  # noqa: F811
    """登录 and its refusal, 修改密码, 查验 and its verdicts, error pages."""
    person = browse_as()
    page = person.page
    page.goto("/login")
    flawless(page, "login")
    page.get_by_label("用户名").fill("nobody")
    page.get_by_label("密码", exact=True).fill("wrong")
    page.get_by_label("验证码", exact=True).fill("0")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_be_visible()
    flawless(page, "login refused")
    for address in ("/verify/", f"/verify/{certificate_number}", "/verify/Z32"):
        page.goto(address)
        flawless(page, address)
    signed_in = browse_as("publisher")
    signed_in.page.goto("/password")
    flawless(signed_in.page, "password")
    for address in ("/nowhere", "/accounts/"):
        signed_in.page.goto(address)
        flawless(signed_in.page, address)
    signed_in.complaints.clear()  # the error pages were asked for


def test_an_api_key_is_created_and_revoked_with_the_keyboard(browse_as: BrowseAs) -> None:
    """Shown once, then asked for and ended; wide and at a telephone's width."""
    page = browse_as("publisher").page
    page.get_by_role("link", name="我的登录").click()
    page.get_by_role("link", name="接口密钥").press("Enter")
    page.get_by_label("密钥名称").fill("综合业务系统")
    page.keyboard.press("Enter")
    expect(page.locator("code.secret")).to_contain_text("filing_")
    flawless(page, "a new key")
    page.set_viewport_size({"width": 390, "height": 800})
    flawless(page, "a new key on a telephone")
    page.get_by_role("button", name="撤销").press("Enter")
    flawless(page, "asked before it is ended")
    page.get_by_role("button", name="确定").press("Enter")
    expect(page.get_by_text("还没有接口密钥")).to_be_visible()
