"""The public page on which a certificate is looked at, in a browser with a script and in one without."""

import pytest
from playwright.sync_api import Browser, Page, expect

FILE = {"name": "备案证明 12.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 nothing"}
SHOWN = "getComputedStyle(document.getElementById('file-chosen'), '::before').content"


@pytest.mark.parametrize("script", [True, False])
def test_a_file_is_chosen_by_a_chinese_button_with_a_script_or_without(
    address: str, chromium: Browser, script: bool
) -> None:
    """The browser's own button speaks the browser's language; without a script the page says that one is chosen."""
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
