"""Files that are chosen early: on a blank form, before the script is there, or while the form leaves."""

import random

from playwright.sync_api import Route, expect

from tests.browser.conftest import BrowseAs
from tests.browser.publisher_steps import slow
from tests.conftest import MakePdf


def test_files_chosen_on_a_blank_form_create_one_draft_and_leave_the_typed_text(
    browse_as: BrowseAs, make_pdf: MakePdf
) -> None:
    """RC7: three files at once, into two boxes, before anything was saved: one draft, every file, every word."""
    publisher = browse_as("publisher")
    page = publisher.page
    page.get_by_role("link", name="备案证明申请").click()
    page.locator("#title").fill("先写名称")
    publisher.attach("other", 目录=make_pdf("1"), 说明=make_pdf("2"))
    publisher.attach("licence", 许可证=make_pdf("3"))
    expect(page.locator(".files li")).to_have_count(3)
    page.wait_for_url("**/applications/edit/?id=*")
    number = page.get_by_label("申请单号").input_value()
    publisher.turn_over("保存")
    expect(page.locator(".alert-success")).to_be_visible()
    expect(page.locator("#title")).to_have_value("先写名称")
    expect(page.locator("#file-other .files li a:first-child")).to_have_text(["目录.pdf", "说明.pdf"])
    page.get_by_role("link", name="返回列表").click()
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
    expect(publisher.row(number)).to_contain_text("先写名称")


def test_a_form_waits_for_a_running_upload_before_it_is_sent(browse_as: BrowseAs, make_pdf: MakePdf) -> None:
    """保存 during a slow upload waits for it; leaving the page asks first; and one that is refused stops 保存."""
    publisher = browse_as("publisher")
    page = publisher.page
    page.get_by_role("link", name="备案证明申请").click()
    page.locator("#title").fill("边传边存")
    slow(publisher, 200_000)
    publisher.attach("licence", 许可证=make_pdf(random.Random(0).randbytes(100_000).hex()))
    expect(page.locator("#file-licence .upload-line")).to_contain_text("许可证.pdf")
    publisher.turn_over("保存")
    expect(page.locator(".alert-success")).to_be_visible()
    expect(page.locator("#file-licence .files li")).to_have_count(1)
    expect(page.locator("#title")).to_have_value("边传边存")
    publisher.attach("licence", 假的=b"MZ" + random.Random(1).randbytes(100_000))
    publisher.press("保存")
    expect(page.locator("#file-licence").get_by_role("alert")).to_contain_text("不能作为附件")
    expect(page.locator(".foot").get_by_role("alert")).to_contain_text("有文件没有上传，还没有继续办理。")
    slow(publisher, -1)
    page.get_by_role("link", name="返回列表").click()
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)


def test_a_file_chosen_before_the_script_has_loaded_is_uploaded(browse_as: BrowseAs, make_pdf: MakePdf) -> None:
    """On a slow line the page is there before what listens to it."""
    publisher = browse_as("publisher")
    page, requests = publisher.page, list[Route]()
    page.route("**/panel/all.js", lambda route: requests.append(route))
    page.goto("/applications/new/", wait_until="commit")
    publisher.attach("licence", 许可证=make_pdf("1"))
    page.wait_for_function("document.querySelector('#file-licence input').files.length === 1")
    requests[0].continue_()
    expect(page.locator("#file-licence .files li")).to_have_count(1)


def test_a_row_deleted_while_the_draft_is_made_stays_deleted_and_uploads_go_on(
    browse_as: BrowseAs, make_pdf: MakePdf
) -> None:
    """The draft was sent with it; its answer comes when the row is gone."""
    publisher = browse_as("publisher")
    page, requests = publisher.page, list[Route]()
    page.get_by_role("link", name="备案证明申请").click()
    page.locator("#title").fill("边传边删")
    rows = page.locator("#carriers .inline-table tbody tr")
    page.get_by_role("button", name="新增一行").click()
    for place, name in enumerate(("要删的", "留下的")):
        for field, typed in (("specification", name), ("quantity", "100"), ("unit", "010-张")):
            rows.nth(place).locator(f"input[name$=-{field}]").fill(typed)
    page.route("**/applications/new/", lambda route: requests.append(route))
    publisher.attach("licence", 许可证=make_pdf("1"))
    expect(page.locator("#file-licence .upload-line")).to_have_count(1)
    rows.nth(0).get_by_role("button", name="删除").click()
    publisher.answer("确定")
    expect(rows).to_have_count(1)
    requests[0].continue_()
    expect(page.locator("#file-licence .files li")).to_have_count(1)
    publisher.attach("other", 目录=make_pdf("2"))
    expect(page.locator("#file-other .files li")).to_have_count(1)
    publisher.turn_over("保存")
    expect(page.locator(".alert-success")).to_be_visible()
    specifications = page.locator("#carriers .inline-table tbody tr input[name$=-specification]")
    expect(specifications).to_have_count(1)
    expect(specifications).to_have_value("留下的")
