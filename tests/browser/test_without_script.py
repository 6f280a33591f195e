"""The form of an application without script: rows are added and deleted by 保存, files by buttons of their own."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowseAs
from tests.conftest import MakeApplication, MakePdf

Plain = Callable[[str], Page]
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def plain(browse_as: BrowseAs) -> Iterator[Plain]:
    """`plain("publisher")`: a page without script in which that person is signed in."""
    opened = []

    def page_of(username: str) -> Page:
        person = browse_as(username)
        context = person.context.browser.new_context(  # type: ignore[union-attr]
            base_url=person.address, java_script_enabled=False, storage_state=person.context.storage_state()
        )
        opened.append(context)
        return context.new_page()

    yield page_of
    for context in opened:
        context.close()


def test_codes_are_typed_and_chosen_without_script(plain: Plain, make_application: MakeApplication) -> None:
    """Native selects and text fields: a code as 010-张, 010 or 张, an organisation by its code."""
    page = plain("publisher")
    page.goto(f"/applications/edit/?id={make_application()}")
    page.locator("#country").select_option("JPN")
    page.locator("#carriers-0-unit").fill("盒")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#country")).to_have_value("JPN")
    expect(page.locator("#carriers-0-unit")).to_have_value("140-盒")


def test_carriers_are_added_and_deleted_without_script(plain: Plain) -> None:
    """A new form has one blank row, each 保存 brings another, and a ticked row is deleted; no button does nothing."""
    page = plain("publisher")
    rows, save = page.locator("tr.inline-row"), page.get_by_role("button", name="保存")
    page.goto("/applications/new/")
    expect(rows).to_have_count(1)
    for name in ("新增一行", "复制", "删除"):
        expect(page.locator("#carriers").get_by_role("button", name=name)).to_have_count(0)
    for place, quantity in enumerate(("500", "700")):
        for field, text in (("specification", "120 mm"), ("quantity", quantity), ("unit", "张")):
            page.locator(f"#carriers-{place}-{field}").fill(text)
        save.click()
        expect(rows).to_have_count(place + 2)
        expect(page.locator(".note.error")).to_have_count(0)
    rows.nth(0).get_by_label("删除").check()
    save.click()
    expect(rows).to_have_count(2)
    expect(page.locator("#carriers-0-quantity")).to_have_value("700")
    expect(page.locator("#carriers-1-quantity")).to_have_value("")


def test_attachments_are_uploaded_and_removed_without_script(
    plain: Plain, make_application: MakeApplication, make_pdf: MakePdf
) -> None:
    """A refused file says why, the next one is uploaded; 替换, which needs the script, is not offered.

    Playwright finds nothing inside <noscript> by its role.
    """
    page = plain("publisher")
    page.goto(f"/applications/edit/?id={make_application()}")
    box = page.locator("#file-other")
    for name, content, sentence in (("空.pdf", b"", "空.pdf"), ("协议.pdf", make_pdf("协议"), "已上传“协议.pdf”。")):
        box.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "application/pdf", "buffer": content}
        )
        box.locator("noscript button", has_text="上传").click()
        expect(page.locator(".alert").first).to_contain_text(sentence)
    expect(box.locator(".files a").first).to_have_text("协议.pdf")
    expect(box.get_by_role("button", name="替换")).to_have_count(0)
    box.locator("noscript button", has_text="上传").click()
    expect(page.locator(".alert").first).to_have_text("请先选择文件。")
    box.locator("noscript button", has_text="移除").click()
    expect(page.locator(".alert").first).to_have_text("已移除“协议.pdf”。")
    expect(box.locator(".files a")).to_have_count(0)


def test_with_script_a_new_form_has_one_row_and_a_draft_no_blank_one(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    page = browse_as("publisher").page
    for address, count in (("/applications/new/", 1), (f"/applications/edit/?id={make_application(carriers=2)}", 2)):
        page.goto(address)
        expect(page.locator("tr.inline-row")).to_have_count(count)
        expect(page.locator("tr.inline-row:visible")).to_have_count(count)
        expect(page.locator("#carriers input[type=checkbox]")).to_have_count(0)
