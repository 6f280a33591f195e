"""上传附件: files dropped onto their boxes, chosen, replaced, refused and removed; the focus stays in the box.

On SQLite alone: what is tried here is a script in a browser.
"""

import base64

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.attentive import AttentiveUser, focus_on, in_order
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.browser.test_keyboard import opened_by_space
from tests.conftest import MakeApplication, MakePdf, StoredRows

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FILES = """files => {
  const carried = new DataTransfer();
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  files.forEach(([name, text]) => carried.items.add(new File([bytes(text)], name, { type: "application/pdf" })));
  return carried;
}"""


def drop(place: Locator, **files: bytes) -> None:
    """Drag files over a place and let go of them there; a name comes without its ending."""
    page, encoded = place.page, [[f"{name}.pdf", base64.b64encode(file).decode()] for name, file in files.items()]
    carried = page.evaluate_handle(FILES, encoded)
    for event in ("dragenter", "dragover"):
        place.dispatch_event(event, {"dataTransfer": carried})
    if "box" in (place.get_attribute("class") or ""):
        flawless(page, "a file over a box")
    place.dispatch_event("drop", {"dataTransfer": carried})


def test_files_are_dropped_onto_the_boxes_of_a_blank_form(
    browse_as: BrowseAs, make_pdf: MakePdf, stored_rows: StoredRows
) -> None:
    """Two at once, one that is no document, one beside the boxes: the page stays."""
    page = browse_as("publisher").page
    page.goto("/applications/new/")
    box, licence = page.locator("#file-other"), page.locator("#file-licence")
    drop(box, 目录=make_pdf("1"), 说明=make_pdf("2"))
    expect(box.locator(".files li a:first-child")).to_have_text(["目录.pdf", "说明.pdf"])
    expect(box).not_to_have_class("box over")
    drop(licence, 许可证=b"MZ\x90\x00 no paper at all")
    expect(licence.get_by_role("alert")).to_contain_text("不能作为附件")
    flawless(page, "a dropped file that is refused")
    drop(page.locator("#application h2").first, 许可证=make_pdf("3"))
    expect(page.locator(".upload-line")).to_have_count(1)
    expect(page.locator(".files li")).to_have_count(2)
    assert [row["kind"] for row in stored_rows(1)["attachment"]] == ["other", "other"]


def test_a_file_is_chosen_replaced_refused_and_removed_with_the_keyboard(
    browse_as: BrowseAs, make_application: MakeApplication, make_pdf: MakePdf
) -> None:
    """After 重试, 知道了, 替换 and 移除 the focus is on the button of the same box."""
    user = AttentiveUser(browse_as("publisher"))
    page, box = user.page, user.page.locator("#file-other")
    page.goto(f"/applications/edit/?id={make_application()}")
    chooser, files = box.locator("input[type=file]"), box.locator(".files li")
    user.tab_to(chooser)
    choose(user, chooser, "不是文件.pdf", b"MZ\x90\x00")
    expect(box.get_by_role("alert")).to_contain_text("不能作为附件")
    in_order(page, "a file that is refused")
    user.tab_to(box.get_by_role("button", name="知道了"))
    user.press("Enter")
    expect(box.locator(".upload-line")).to_have_count(0)
    focus_on(chooser)
    page.route("**/upload/**", lambda route: route.abort())
    choose(user, chooser, "目录.pdf", make_pdf("1"))
    user.tab_to(box.get_by_role("button", name="重试"))
    in_order(page, "a file that did not arrive")
    page.unroute("**/upload/**")
    user.person.complaints.clear()  # of the line that this test has broken
    user.press("Enter")
    expect(files).to_have_count(1)
    focus_on(chooser)
    replace = box.get_by_role("button", name="替换")
    user.tab_to(replace, "Shift+Tab")
    dialog = opened_by_space(user, replace, "Enter")
    dialog.set_files([{"name": "目录二.pdf", "mimeType": "application/pdf", "buffer": make_pdf("2")}])
    expect(files.get_by_role("link").first).to_have_text("目录二.pdf")
    in_order(page, "a file that was replaced")
    expect(box.locator(":focus")).to_have_count(1)
    user.tab_to(box.get_by_role("button", name="移除"), "Shift+Tab")
    user.press("Enter")
    expect(page.locator("#ask").get_by_role("button", name="取消")).to_be_focused()
    flawless(page, "asked before a file is removed")
    user.press("Tab", "Enter")
    expect(files).to_have_count(0)
    focus_on(chooser)
    in_order(page, "a file that was removed")


def choose(user: AttentiveUser, chooser: Locator, name: str, file: bytes) -> None:
    """Press Space on the button of a box, and choose this file."""
    opened_by_space(user, chooser).set_files([{"name": name, "mimeType": "application/pdf", "buffer": file}])
