"""Drafts with the keyboard alone: 自动保存, 复制新建, former values, and warnings that forbid nothing.

On SQLite alone: what is tried here is a script in a browser.
"""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import expect

from models import clock
from tests.browser.attentive import AttentiveUser, focus_on, in_order
from tests.browser.conftest import BrowseAs
from tests.browser.person import Person
from tests.browser.test_accessibility import flawless
from tests.browser.test_autosave import AT
from tests.browser.test_keyboard import opened_by_space
from tests.cast import FIELDS
from tests.conftest import MakeApplication, MakePdf, StoredRows

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_typed_text_survives_a_closed_tab_and_a_save_in_another_window(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Autosaved, closed, opened again; then saved over by another window: each typed word stays, and 保存 has it."""
    app.config["AUTOSAVE_SECONDS"] = 1
    key = make_application(carriers=1, title="黑胶唱片")
    person = browse_as("publisher")
    user, page = AttentiveUser(person), person.page
    page.goto(f"/applications/edit/?id={key}")
    user.tab_to(page.locator("#title"))
    user.press("End")
    user.type("《二泉映月》")
    expect(page.locator(".autosaved")).to_have_text(AT)
    focus_on(page.locator("#title"))
    in_order(page, "autosaved")
    page.close()
    person.page = page = person.context.new_page()
    user = AttentiveUser(person)
    page.goto(f"/applications/edit/?id={key}")
    user.tab_to(page.get_by_role("button", name="放弃这些内容"))
    in_order(page, "text that was stored by itself")
    user.tab_to(page.locator("#title"))
    expect(page.locator("#title")).to_have_value("黑胶唱片《二泉映月》")
    saved_in_another_window(person, key)
    user.press("End")
    user.type("第二版")
    expect(page.get_by_role("alert").filter(has_text="王敏")).to_be_visible()
    focus_on(page.locator("#title"))
    in_order(page, "another window has saved")
    user.press("Enter")
    expect(page.locator("#content .opinion").first).to_contain_text("这期间已保存的改动")
    expect(page.locator("#work")).to_be_focused()
    expect(page.locator(".theirs")).to_have_text(["已保存的内容：黑胶唱片《二泉映月》", "已保存的内容：李晓"])
    flawless(page, "a refused save of a stale form")
    user.tab_to(page.locator("#title"))
    expect(page.locator("#title")).to_have_value("黑胶唱片《二泉映月》第二版")
    with page.expect_navigation():
        user.press("Enter")
    expect(page.locator(".alert-success")).to_contain_text("已于 ")
    assert stored_rows(key)["application"][0]["title"] == "黑胶唱片《二泉映月》第二版"


def saved_in_another_window(person: Person, key: int) -> None:
    """The same person, in another window, changes 联系人."""
    other = person.context.new_page()
    other.goto(f"/applications/edit/?id={key}")
    other.locator("#contact").fill("李晓")
    with other.expect_navigation():
        other.locator("#contact").press("Enter")
    other.close()


def test_a_former_application_is_copied_and_former_values_are_offered(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """复制新建 from the page of a granted one; the plant is offered while its name is typed, other text stays."""
    key = make_application(status="filed", title="昆曲《牡丹亭》", manufacturer="Sonopress GmbH")
    user = AttentiveUser(browse_as("publisher"))
    page = user.page
    page.goto(f"/applications/details/?id={key}")
    user.tab_to(page.get_by_role("button", name="复制新建"))
    in_order(page, "复制新建 in focus")
    user.press("Enter")
    user.agree()
    expect(page.get_by_role("status").first).to_contain_text("附件请重新上传。")
    expect(page.locator("#title")).to_have_value("昆曲《牡丹亭》")
    flawless(page, "a copy")
    page.goto("/applications/new/")
    for field, part, whole in (("manufacturer", "sono", "Sonopress GmbH"), ("consignee", "音像", FIELDS["consignee"])):
        user.tab_to(page.locator(f"#{field}"))
        user.type(part)
        expect(page.get_by_role("option")).to_have_text([whole])
        user.press("ArrowDown")
        in_order(page, f"former values of {field}")
        user.press("Enter")
        expect(page.locator(f"#{field}")).to_have_value(whole)
        focus_on(page.locator(f"#{field}"))
    for text, offered in (("王", 1), ("王芳", 0)):
        user.tab_to(page.locator("#contact"))
        user.press("Control+a")
        user.type(text)
        expect(page.get_by_role("option")).to_have_count(offered)
    user.press("Escape", "Tab", "Shift+Tab")
    expect(page.locator("#contact")).to_have_value("王芳")
    user.tab_to(page.locator("#phone"))
    user.press("ArrowDown")
    expect(page.get_by_role("option")).to_have_text([FIELDS["phone"]])
    user.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    focus_on(page.locator("#phone"))
    flawless(page, "filled from former applications")


def test_doubts_are_shown_and_do_not_prevent_a_submission(
    browse_as: BrowseAs, make_application: MakeApplication, make_pdf: MakePdf, stored_rows: StoredRows
) -> None:
    """A likely duplicate, the same file twice, a day in the past: shown by 保存 and 申报; the next one submits."""
    make_application(status="pending", title="评弹《珍珠塔》")
    key = make_application(title="评弹《珍珠塔》")
    user = AttentiveUser(browse_as("publisher"))
    page = user.page
    page.goto(f"/applications/edit/?id={key}")
    user.tab_to(page.locator("#expected_on"))
    user.press("Control+a")
    user.type(str(clock.today() - timedelta(days=1)))
    chooser = page.locator("#file-other input[type=file]")
    user.tab_to(chooser)
    opened = opened_by_space(user, chooser)
    opened.set_files([{"name": "又一份.pdf", "mimeType": "application/pdf", "buffer": make_pdf("licence")}])
    expect(page.locator("#file-other .files li")).to_have_count(1)
    focus_on(chooser)
    user.activate(page.locator(".foot").get_by_role("button", name="申报"))
    user.agree()
    expect(page.get_by_role("status").first).to_contain_text("请先核对页面上方的提示")
    expect(page.locator("#doubts li")).to_have_count(3)
    focus_on(page.locator("#doubts"))
    user.flawless("doubts on 申报")
    user.tab_to(page.locator("#title"))
    with page.expect_navigation():
        user.press("Enter")
    expect(page.locator(".alert-success")).to_contain_text("已于 ")
    focus_on(page.locator("#doubts"))
    user.flawless("doubts after 保存")
    page.goto("/applications/")
    user.activate(page.locator("table.model-list tr", has_text="暂存").get_by_role("button", name="申报"))
    user.agree()
    focus_on(page.locator("#doubts"))
    user.press("Tab")
    focus_on(page.get_by_role("link", name="核对无误，前往申报"))
    user.press("Enter")
    focus_on(page.locator(".foot").get_by_role("button", name="申报"))
    user.press("Enter")
    user.agree()
    expect(page.locator("h1")).to_contain_text("待审核")
    focus_on(page.locator(".result"))
    assert stored_rows(key)["application"][0]["status"] == "pending"
