"""Many certificates printed at once; one revoked, applied for anew, granted: as people do it."""

import json
import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowseAs, in_whole_chromium
from tests.browser.person import Person
from tests.browser.test_signed_out import session_ends, signs_in_over_the_page
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows

pytestmark = in_whole_chromium


def pictured(page: Page, name: str) -> None:
    """The window on a desk and on a telephone, where LOOKS names a folder for them."""
    if folder := os.environ.get("LOOKS"):
        for width, height in ((390, 800), (1360, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", animations="disabled")


def test_a_print_window_waits_until_the_pdf_is_made(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """打印 right after the grant: the window waits, then shows the paper; 后退 prints nothing again."""
    key = make_application(status="filed")
    publisher = browse_as("publisher")
    with publisher.context.expect_page() as window:
        publisher.press("打印", publisher.row("已备案"))
    expect(window.value.locator("main")).to_contain_text("证明已经签发，文件正在制作")
    pictured(window.value, "waiting")
    make_papers(app)
    window.value.wait_for_url(f"**/certificate/?id={key}")
    window.value.close()
    assert prints(stored_rows(key)) == [1]


def test_a_batch_print_shows_its_progress(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """全选, one dialog with a count, one PDF; the one that may not be printed is named, and 取消 prints nothing."""
    keys = [make_application(status="filed", title=f"《昆曲选萃》第{n}辑") for n in range(3)]
    make_application(status="pending", title="《还在审核》")
    publisher = browse_as("publisher")
    page, dialog = publisher.page, publisher.page.get_by_role("dialog")
    printing = page.locator(".bar").get_by_role("button", name="打印")
    page.get_by_label("全选本页").check()
    expect(page.locator("input[name=pick]:checked")).to_have_count(4)
    printing.dispatch_event("click")
    expect(dialog).to_contain_text(re.compile(r"^.*不能打印的：\s+SQ\d+：当前状态为「待审核」，不能打印", re.DOTALL))
    pictured(page, "some")
    publisher.answer("取消")
    expect(page.locator("input[name=pick]:checked")).to_have_count(4)
    printing.dispatch_event("click")
    publisher.answer("打印其余 3 份")
    expect(dialog).to_contain_text("0 / 3")
    make_papers(app)
    expect(page.get_by_label("全选本页")).not_to_be_checked()
    expect(dialog).to_contain_text("3 / 3")
    expect(dialog).to_contain_text("点击确定打开合并打印件")
    pictured(page, "prepared")
    publisher.answer("取消")
    assert [prints(stored_rows(key)) for key in keys] == [[], [], []]
    printing.click()
    expect(dialog.get_by_role("button", name="确定")).to_be_enabled()
    with publisher.context.expect_page() as window:
        publisher.answer("确定")
    bundle = window.value
    bundle.wait_for_url("**/applications/bundle/?job=*")
    bundle.reload()
    answer = publisher.context.request.get(bundle.url)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    bundle.close()
    assert [prints(stored_rows(key)) for key in keys] == [[1], [1], [1]]
    expect(page.locator("input[name=pick]:checked")).to_have_count(3)


def prints(record: dict[str, Any]) -> list[int]:
    """The copy numbers of the print history."""
    return [entry["changes"]["copy"][1] for entry in record["trail_entry"] if entry["act"] == "print"]


def test_a_bundle_asks_for_the_password_over_the_page_and_opens(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The session ends before 打印, and again before 确定: no error page, no tick lost, one print of each."""
    keys = [make_application(status="filed") for _ in range(2)]
    make_papers(app)
    publisher = browse_as("publisher")
    page, dialog = publisher.page, publisher.page.locator("#ask")
    page.get_by_label("全选本页").check()
    session_ends(app, "publisher")
    publisher.press("打印", page.locator(".bar"))
    signs_in_over_the_page(publisher)
    expect(dialog.get_by_role("button", name="确定")).to_be_enabled()
    session_ends(app, "publisher")
    publisher.press("确定", dialog)
    publisher.press("取消", page.locator("#again"))
    expect(page.locator("#work > .unsent")).to_contain_text("这次登录已结束，请用现在的密码重新登录。")
    publisher.press("打印", page.locator(".bar"))
    signs_in_over_the_page(publisher)
    with publisher.context.expect_page() as window:
        publisher.press("确定", dialog)
    window.value.wait_for_url("**/applications/bundle/?job=*")
    window.value.close()
    assert [prints(stored_rows(key)) for key in keys] == [[1], [1]]
    assert page.url.endswith("/applications/")


def test_a_browser_that_opens_no_window_by_itself_opens_it_by_a_click(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The recorded print is not lost: a button in the dialog opens the window."""
    key = make_application(status="filed")
    make_application(status="filed")
    make_papers(app)
    publisher = browse_as("publisher")
    page, dialog = publisher.page, publisher.page.locator("#ask")
    page.get_by_label("全选本页").check()
    page.evaluate("() => { const open = window.open; window.open = () => { window.open = open; return null; }; }")
    publisher.press("打印", page.locator(".bar"))
    publisher.press("确定", dialog)
    expect(dialog).to_contain_text("浏览器没有打开新窗口，请点击“打开”查看。")
    with publisher.context.expect_page() as window:
        publisher.press("打开", dialog)
    window.value.wait_for_url("**/applications/bundle/?job=*")
    window.value.close()
    assert prints(stored_rows(key)) == [1]


def test_a_certificate_revoked_before_the_last_click_stops_the_batch_print_with_a_message_on_the_list(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The papers are ready, then the province revokes: a sentence, no window, the ticks as they were, no print."""
    keys = [make_application(status="filed") for _ in range(2)]
    make_papers(app)
    publisher, province = browse_as("publisher"), browse_as("reviewer")
    publisher.page.get_by_label("全选本页").check()
    publisher.press("打印", publisher.page.locator(".bar"))
    dialog = publisher.page.locator("#ask")
    expect(dialog.get_by_role("button", name="确定")).to_be_enabled()
    province.page.goto(f"/filings/details/?id={keys[0]}")
    revokes(province)
    publisher.press("确定", dialog)
    expect(publisher.page.locator("#work > .unsent")).to_have_text(
        re.compile(r"^SQ\d+：当前状态为「已作废」.*没有打印任何一份，请取消勾选后重试。$")
    )
    expect(publisher.page.locator("input[name=pick]:checked")).to_have_count(2)
    assert len(publisher.context.pages) == 1
    assert [prints(stored_rows(key)) for key in keys] == [[], []]


def test_a_certificate_revoked_since_the_list_was_loaded_stops_the_bundle(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """Revoked after the list was loaded: the dialog shows the message, and 确定 stays disabled."""
    keys = [make_application(status="filed") for _ in range(2)]
    make_papers(app)
    publisher, province = browse_as("publisher"), browse_as("reviewer")
    publisher.page.get_by_label("全选本页").check()
    province.page.goto(f"/filings/details/?id={keys[0]}")
    revokes(province)
    publisher.press("打印", publisher.page.locator(".bar"))
    dialog = publisher.page.get_by_role("dialog")
    expect(dialog).to_contain_text("没有准备完，没有打印任何一份。当前状态为「已作废」，不能打印")
    expect(dialog.get_by_role("button", name="确定")).to_be_disabled()
    publisher.answer("取消")
    expect(dialog).to_be_hidden()


def revokes(person: Person) -> None:
    """作废: a reason and words, both asked for."""
    page = person.page
    page.get_by_role("button", name="作废").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="确定").click()
    expect(dialog.get_by_text("请选择原因。")).to_be_visible()
    person.pick("ask-why", "证明内容", "证明内容有误，须重新申请")
    dialog.get_by_role("button", name="确定").click()
    expect(dialog.get_by_text("请填写意见。")).to_be_visible()
    expect(dialog.get_by_text("请选择原因。")).to_be_hidden()
    dialog.get_by_label("意见").fill("收货单位有误。")
    pictured(page, "revoke")
    dialog.get_by_role("button", name="确定").click()
    expect(page.locator(".alert-success")).to_contain_text("已作废")


def test_a_replacement_certificate_names_the_revoked_one(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """作废 → 重新申请 → 申报 → 准予备案: the two certificates point at each other, on the screen and on paper."""
    key = make_application(status="filed", title="黑胶唱片《姑苏行》")
    publisher, province = browse_as("publisher"), browse_as("reviewer")
    province.page.goto(f"/filings/details/?id={key}")
    revokes(province)
    expect(province.page.locator("#trail")).to_contain_text("作废原因：证明内容有误，须重新申请")
    publisher.page.goto(f"/applications/details/?id={key}")
    old = publisher.page.locator(".certificate-box dd").first.inner_text()
    pictured(publisher.page, "revoked")
    publisher.agree("重新申请")
    expect(publisher.page.locator(".alert-success")).to_contain_text("请核对后申报")
    expect(publisher.page.locator("#title")).to_have_value("黑胶唱片《姑苏行》")
    expect(publisher.page.get_by_label("替代证明")).to_have_value(old)
    pictured(publisher.page, "anew")
    number = publisher.page.get_by_label("申请单号").input_value()
    publisher.agree("申报")
    province.page.get_by_role("link", name="待审核").click()
    province.page.get_by_role("link", name=number).click()
    province.agree("准予备案")
    expect(province.page.locator(".alert-success")).to_contain_text("已准予备案")
    expect(province.page.locator(".certificate-box")).to_contain_text("替代证明")
    publisher.page.reload()
    make_papers(app)
    paper = publisher.opened(publisher.page.locator("main").get_by_role("button", name="打印"))
    with pikepdf.open(BytesIO(paper)) as opened:
        assert json.loads(opened.attachments["snapshot.json"].get_file().read_bytes())["replaces"] == old
    pictured(publisher.page, "granted")
    publisher.page.get_by_role("link", name=old).click()
    expect(publisher.page.locator(".certificate-box")).to_contain_text(re.compile(r"已由证明 Z\w+ 替代"))
    pictured(publisher.page, "replaced")
