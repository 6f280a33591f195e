"""The session ends under an open page, or a file comes first: no typed text is lost or saved by another account."""

import random
import re
from collections.abc import Callable

from flask import Flask
from playwright.sync_api import Route, expect

from models.database import db
from models.people.sessions import end_visits
from tests.browser.conftest import BrowseAs, in_whole_chromium
from tests.browser.person import Person
from tests.browser.test_accessibility import flawless
from tests.cast import PASSWORD, account_of, make_papers
from tests.conftest import MakeApplication, StoredRows

A_pdf = Callable[[str], bytes]


def session_ends(app: Flask, username: str) -> None:
    """The server ends every visit of this person, as a timeout or the operator does."""
    with app.app_context():
        end_visits(db.session(), account_of(username).id)
        db.session.commit()


def signs_in_over_the_page(person: Person, password: str = PASSWORD) -> None:
    """The dialog that opens when the session has ended: password and 验证码."""
    again = person.page.locator("#again")
    expect(again.get_by_label("用户名")).not_to_be_editable()
    expect(again.get_by_label("密码")).to_be_focused()
    again.get_by_label("密码").fill(password)
    again.get_by_label("验证码", exact=True).fill(person.read_picture("#again img"))
    person.press("登录并继续", again)


def test_an_ended_session_asks_for_the_password_over_the_page_and_continues(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows, make_pdf: A_pdf
) -> None:
    """A wrong password gets a message and nothing closes; 取消 keeps the text; the right one completes the save."""
    key = make_application()
    publisher = browse_as("publisher")
    page, again = publisher.page, publisher.page.locator("#again")
    page.goto(f"/applications/edit/?id={key}")
    page.locator("#title").fill("超时之后的名称")
    session_ends(app, "publisher")
    publisher.press("保存")
    expect(again).to_contain_text("这次登录已结束")
    flawless(page, "the password is asked for over the page")
    publisher.press("取消", again)
    expect(page.locator(".foot").get_by_role("alert")).to_contain_text("这次登录已结束")
    publisher.press("保存")
    signs_in_over_the_page(publisher, "wrong-Pass-2026")
    expect(again.get_by_role("alert")).to_contain_text("用户名或密码不正确")
    with page.expect_navigation():
        signs_in_over_the_page(publisher)
    expect(page.locator(".alert-success")).to_contain_text("已于 ")
    assert stored_rows(key)["application"][0]["title"] == "超时之后的名称"
    session_ends(app, "publisher")
    publisher.attach("other", 补充=make_pdf("1"))
    signs_in_over_the_page(publisher)
    expect(page.locator("#file-other .files li")).to_have_count(1)


@in_whole_chromium
def test_printing_after_the_session_ended_asks_for_the_password_and_opens_the_certificate(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """手册 第二章·打印: the window with the paper opens after the password, and not before."""
    key = make_application(status="filed")
    make_papers(app)
    publisher = browse_as("publisher")
    session_ends(app, "publisher")
    publisher.press("打印", publisher.row("已备案"))
    with publisher.context.expect_page() as window:
        signs_in_over_the_page(publisher)
    window.value.wait_for_url(f"**/certificate/?id={key}")
    window.value.close()
    assert [entry["act"] for entry in stored_rows(key)["trail_entry"]].count("print") == 1
    assert publisher.page.url.endswith("/applications/")


def test_a_page_of_one_account_does_not_act_as_another_account(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """One browser, two tabs: another account signs in; the first tab asks for the password of its own account."""
    key = make_application()
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto("/applications/new/")
    page.locator("#title").fill("王敏的名称")
    publisher.page = publisher.context.new_page()
    publisher.page.goto(f"/applications/edit/?id={key}")
    publisher.press("退出", publisher.page.locator("header"))
    publisher.sign_in("publisher2")
    other, publisher.page = publisher.page, page
    publisher.press("保存")
    expect(page.locator("#again")).to_contain_text("这个页面是以另一个账号打开的")
    signs_in_over_the_page(publisher)
    page.wait_for_url("**/applications/edit/**")
    expect(page.get_by_label("申请单位", exact=True)).to_have_value("江苏文艺音像出版社")
    expect(page.locator("#title")).to_have_value("王敏的名称")
    other.goto("/applications/")
    expect(other.locator("header")).to_contain_text("王敏")


def test_a_page_opened_before_its_account_signed_in_again_is_saved_with_a_new_token(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """退出 and 登录 in another tab end the CSRF token of the first: 保存 there is sent again, and asks for nothing."""
    key = make_application()
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={key}")
    page.locator("#title").fill("重新登录之前的名称")
    publisher.page = publisher.context.new_page()
    publisher.page.goto("/applications/")
    publisher.press("退出", publisher.page.locator("header"))
    publisher.sign_in("publisher")
    publisher.page = page
    publisher.turn_over("保存")
    expect(page.locator(".alert-success")).to_contain_text("已于 ")
    assert stored_rows(key)["application"][0]["title"] == "重新登录之前的名称"
    assert all("400" in complaint for complaint in publisher.complaints)
    publisher.complaints.clear()  # the refusal of the former token


def test_uploading_on_a_blank_form_saves_the_typed_text_and_rows(
    browse_as: BrowseAs, make_pdf: A_pdf, stored_rows: StoredRows
) -> None:
    """The draft created by the upload has the typed text at once; another save neither doubles nor loses a row."""
    publisher = browse_as("publisher")
    page, rows = publisher.page, publisher.page.locator("tr.inline-row:visible")
    page.get_by_role("link", name="备案证明申请").click()
    page.locator("#title").fill("先写名称")
    page.locator("#hs_code").fill("12")
    publisher.press("新增一行")
    for place, quantity in enumerate(("500", "许多")):
        rows.nth(place).get_by_label("规格型号").fill(f"第 {place + 1} 卷")
        rows.nth(place).get_by_label("进口数量").fill(quantity)
        rows.nth(place).get_by_label("单位", exact=True).fill("张")
    publisher.attach("other", 目录=make_pdf("1"))
    expect(page.locator("#file-other .files li")).to_have_count(1)
    key = int(page.url.rpartition("=")[2])
    record = stored_rows(key)
    assert record["application"][0]["title"] == "先写名称"
    assert [row["specification"] for row in record["carrier"]] == ["第 1 卷", "第 2 卷"]
    number = record["application"][0]["number"]
    expect(page.get_by_role("heading", level=1)).to_have_text(f"备案证明申请 {number} 暂存")
    expect(page.get_by_label("申请单号")).to_have_value(number)
    expect(page.get_by_label("受理机关")).to_have_value("江苏省新闻出版局")
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("填写")
    expect(page.locator(".foot").get_by_role("button")).to_have_text(["保存", "申报", "删除", "打印"])
    expect(page.locator("[name=_submit]")).to_have_attribute("data-ask", re.compile(number))
    publisher.attach("other", 目录=make_pdf("2"))
    expect(page.locator("#file-other .upload-line").get_by_role("alert")).to_contain_text("“目录.pdf”与已有的文件同名")
    publisher.press("知道了", page.locator("#file-other"))
    flawless(page, "a draft that a file has made")
    publisher.press("删除", rows.nth(0))
    publisher.answer("确定")
    publisher.turn_over("保存")
    expect(page.locator(".alert-warning")).to_contain_text("有 2 处还需改正，见红字。")
    expect(page.locator("#missing")).to_be_focused()
    expect(page.locator("#missing").get_by_role("link")).to_have_text(
        ["商品编码：请填写 8 位或 10 位数字。", "第 1 行 进口数量：请只填写数字，例如 1000 或 12.5。"]
    )
    page.locator("#missing").get_by_role("link").nth(1).press("Enter")
    expect(page.locator("#carriers-0-quantity")).to_be_focused()
    assert [row["specification"] for row in stored_rows(key)["carrier"]] == ["第 2 卷"]


def test_each_failed_upload_has_its_own_line_and_can_be_retried(
    browse_as: BrowseAs, make_pdf: A_pdf, make_application: MakeApplication
) -> None:
    """Three at once: one is refused, one is cut off, one arrives; each message stays at its file until dismissed."""
    key = make_application()
    publisher = browse_as("publisher")
    page, box = publisher.page, publisher.page.locator("#file-other")
    page.goto(f"/applications/edit/?id={key}")
    page.route("**/applications/upload/", cut_off("断线"))
    publisher.attach("other", 假的=b"MZ" + random.Random(1).randbytes(1000), 断线=make_pdf("1"), 好的=make_pdf("2"))
    expect(box.locator(".files li")).to_have_count(1)
    lines = box.locator(".upload-line")
    expect(lines).to_have_count(2)
    expect(lines.filter(has_text="假的.pdf").get_by_role("alert")).to_contain_text("不能作为附件")
    expect(lines.filter(has_text="假的.pdf").get_by_role("button")).to_have_text(["知道了"])
    expect(lines.filter(has_text="断线.pdf").get_by_role("alert")).to_have_text("网络中断，文件没有传完，可以重试。")
    flawless(page, "files that did not arrive")
    page.unroute("**/applications/upload/")
    publisher.complaints.clear()
    publisher.press("重试", lines.filter(has_text="断线.pdf"))
    expect(box.locator(".files li a:first-child")).to_have_text(["好的.pdf", "断线.pdf"])
    publisher.press("知道了", lines)
    expect(lines).to_have_count(0)


def cut_off(name: str) -> Callable[[Route], None]:
    """A line that breaks when a file of this name is sent."""

    def handle(route: Route) -> None:
        if name.encode() in (route.request.post_data_buffer or b""):
            route.abort()
        else:
            route.continue_()

    return handle
