"""载体信息 with the keyboard alone: three hundred rows pasted and corrected, and a list imported without script.

On SQLite alone: what is tried here is a script in a browser.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.attentive import AttentiveUser, focus_on, in_order
from tests.browser.conftest import BrowseAs
from tests.browser.sheet import clipboard_text, values
from tests.browser.test_accessibility import flawless
from tests.browser.test_keyboard import opened_by_space
from tests.conftest import MakeApplication, StoredRows

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
HEADINGS = ["载体类型", "规格型号", "进口数量", "单位"]
CSV = ",".join(HEADINGS) + "\n黑胶唱片,12 英寸,100,张\n黑胶唱片,,百,张\n"


def test_three_hundred_rows_are_pasted_corrected_and_saved_with_the_keyboard(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Cancelled once, then filled in; the focus is in the first wrong cell, and each act leaves it in the table."""
    key = make_application(carriers=1)
    user = AttentiveUser(browse_as("publisher"))
    page = user.page
    page.goto(f"/applications/edit/?id={key}")
    rows = [["黑胶唱片", f"第 {n} 卷", "一百" if n == 250 else 100, "张"] for n in range(300)]
    put_on_clipboard(user, clipboard_text([HEADINGS, *rows]))
    user.tab_to(page.locator("#carriers-0-kind"))
    user.press("Control+v")
    dialog = page.get_by_role("dialog")
    focus_on(dialog.get_by_role("button", name="取消"))
    in_order(page, "the preview of three hundred rows")
    user.press("Escape")
    expect(dialog).to_be_hidden()
    focus_on(page.locator("#carriers-0-kind"))
    user.press("Control+v")
    expect(dialog).to_contain_text("有 1 处需要改正")
    user.tab_to(dialog.get_by_label("替换现有全部各行").or_(dialog.get_by_label("接在现有各行之后")))
    user.press("ArrowDown")
    expect(dialog.get_by_label("替换现有全部各行")).to_be_checked()
    user.tab_to(dialog.get_by_role("button", name="全部填入"))
    user.press("Enter")
    expect(page.locator(".block-status")).to_contain_text("已填入 300 条，其中 1 处还需改正")
    wrong = page.locator("td.col-quantity.wrong input")
    focus_on(wrong)
    in_order(page, "three hundred rows with one wrong cell")
    user.press("Control+a")
    user.type("50")
    expect(page.locator(".totals")).to_have_text("共 300 条：29,950 张")
    works_on_rows(user)
    skips_the_table(user)
    fold = page.locator("[data-fold]")
    user.tab_to(fold, "Shift+Tab")
    expect(fold).to_have_text("展开全部 300 条")
    user.press("Enter")
    expect(fold).to_have_text("收起")
    focus_on(fold)
    user.tab_to(page.locator(".foot button").first)
    with page.expect_navigation():
        user.press("Enter")
    expect(page.locator(".totals")).to_have_text("共 300 条：29,950 张")
    saved = stored_rows(key)["carrier"]
    in_place = sorted(saved, key=lambda row: row["position"])
    assert [row["specification"] for row in in_place] == [f"第 {n} 卷" for n in (0, 2, *range(2, 300))]
    assert {row["note"] for row in saved} == {"附歌词"}


def works_on_rows(user: AttentiveUser) -> None:
    """Fill 备注 down; duplicate the third row and delete the second: the focus goes to the row that comes next."""
    page, note = user.page, user.page.locator("#carriers-1-note")
    user.press("Control+Home")
    user.tab_to(note)
    user.type("附歌词")
    user.press("Control+Shift+d")
    focus_on(note)
    assert values(page, "note") == ["附歌词"] * 300
    user.tab_to(page.locator("#carriers-3 [data-copy-row]"))
    user.press("Enter")
    focus_on(page.locator("#carriers-301-kind"))
    user.tab_to(page.locator("#carriers-2 [data-delete-row]"), "Shift+Tab")
    user.press("Enter")
    expect(page.locator("#ask").get_by_role("button", name="取消")).to_be_focused()
    flawless(page, "asked before a row is deleted")
    user.press("Tab", "Enter")
    focus_on(page.locator("#carriers-3 [data-delete-row]"))
    assert values(page, "specification")[:4] == ["第 0 卷", "第 2 卷", "第 2 卷", "第 3 卷"]


def skips_the_table(user: AttentiveUser) -> None:
    """Ctrl+Home in a cell, then the link before the first cell leads behind the table."""
    user.press("Tab", "Control+Home")
    focus_on(user.page.locator("#carriers-1-kind"))
    user.tab_to(user.page.locator(".skip[href='#attachments']"), "Shift+Tab")
    in_order(user.page, "the link that skips the table")
    user.press("Enter", "Tab")
    expect(user.page.locator("#attachments :focus")).to_have_count(1)


def put_on_clipboard(user: AttentiveUser, text: str) -> None:
    """As another program does before Ctrl+V."""
    user.person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    user.page.evaluate("text => navigator.clipboard.writeText(text)", text)


def test_a_list_is_imported_with_the_keyboard_and_without_script(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Chosen, previewed on a page of its own, filled in; wrong cells stay as typed, and a file that is none says so."""
    person, key = browse_as("publisher"), make_application(carriers=1)
    plain = person.context.browser.new_context(  # type: ignore[union-attr]
        base_url=person.address, java_script_enabled=False, storage_state=person.context.storage_state()
    )
    scripted, person.page = person.page, plain.new_page()
    user, page = AttentiveUser(person), person.page
    scripted.route("**/panel/all.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(f"/applications/edit/?id={key}")
    preview(user, "清单.xlsx", b"\x89PNG\r\n\0\0\0")
    expect(page.get_by_role("alert").first).to_contain_text("无法读取该文件")
    copy_is_flawless(page, scripted, "a file that cannot be read, without script")
    preview(user, "清单.csv", CSV.encode())
    expect(page.locator("h1")).to_contain_text("导入载体信息：预览")
    expect(page.locator("td.wrong")).to_have_count(2)
    copy_is_flawless(page, scripted, "the preview without script")
    user.tab_to(page.get_by_label("接在现有各行之后"))
    user.press("ArrowDown")
    expect(page.get_by_label("替换现有全部各行")).to_be_checked()
    focus_on(page.get_by_label("替换现有全部各行"))
    user.enter(page.get_by_role("button", name="全部填入并保存"))
    expect(page.locator(".alert").first).to_contain_text("已填入 2 条载体信息。有 2 处还需改正，见红字。")
    copy_is_flawless(page, scripted, "rows with errors, without script")
    assert [row["specification"] for row in stored_rows(key)["carrier"]] == ["12 英寸", None]
    plain.close()


def copy_is_flawless(page: Page, scripted: Page, state: str) -> None:
    """axe needs scripts itself: it reads a copy of the page, with what the page shows without script."""
    address, shown = page.url.partition("#")[0], page.content().replace("<noscript>", "").replace("</noscript>", "")
    scripted.route(address, lambda route: route.fulfill(body=shown, content_type="text/html"))
    scripted.goto(address)
    flawless(scripted, state)
    scripted.unroute(address)


def preview(user: AttentiveUser, name: str, file: bytes) -> None:
    """Choose this file, and press 预览."""
    chooser = user.page.locator("#carrier-file")
    user.tab_to(chooser)
    focus_on(chooser)
    opened_by_space(user, chooser).set_files([{"name": name, "mimeType": "text/csv", "buffer": file}])
    user.enter(user.page.locator(".import").get_by_role("button", name="预览"))
