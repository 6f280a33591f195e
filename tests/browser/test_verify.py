"""The public page on which a certificate is looked at, in a browser with a script and in one without."""

import pytest
from playwright.sync_api import Browser, Page, expect

FILE = {"name": "备案证明 12.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 nothing"}
SHOWN = "getComputedStyle(document.getElementById('file-chosen'), '::before').content"


@pytest.mark.parametrize("script", [True, False])
def test_the_file_button_is_chinese_with_and_without_javascript(address: str, chromium: Browser, script: bool) -> None:
    """The label of the browser's own button is replaced; without a script the page shows that a file is chosen."""
    context = chromium.new_context(java_script_enabled=script, locale="en-US")
    page: Page = context.new_page()
    page.goto(f"{address}/verify/")
    expect(page.get_by_text("选择文件", exact=True)).to_be_visible()
    assert page.evaluate(SHOWN) == '"未选择文件"'
    page.get_by_label("证明文件（PDF）").set_input_files(FILE)  # type: ignore[arg-type]
    if script:
        expect(page.get_by_text("备案证明 12.pdf")).to_be_visible()
    else:
        assert page.evaluate(SHOWN) == '"已选择文件"'
    page.get_by_role("button", name="查验文件").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("不能采信")
    context.close()


def test_typed_text_stays_when_the_language_changes(address: str, chromium: Browser) -> None:
    """The text is deleted from sessionStorage afterwards."""
    context = chromium.new_context()
    page: Page = context.new_page()
    page.goto(f"{address}/verify/")
    page.locator("#number").fill("Z3220260")
    page.locator("#code").fill("ABCD")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#number")).to_have_value("Z3220260")
    expect(page.locator("#code")).to_have_value("ABCD")
    assert page.evaluate("sessionStorage.length") == 0
    context.close()
