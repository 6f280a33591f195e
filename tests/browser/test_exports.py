"""导出: the bar of a list says that the file is being made, then that it has begun."""

from pathlib import Path
from time import sleep

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import BrowseAs
from tests.conftest import MakeApplication
from tests.served.rows import shared_rows
from tests.serving import Server

WATCH = """bar => {
  window.shown = [];
  new MutationObserver(() => shown.push([performance.now(), bar.textContent])).observe(bar, {childList: true});
}"""
LATE = 1.0  # seconds; the page looks for the cookie every 0.3


def answer_late(route: Route) -> None:
    """As for a file that is long in the making."""
    sleep(LATE)
    route.continue_()


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("who", "listed", "kind"),
    [
        ("publisher", "/applications/", "XLSX"),
        ("publisher", "/applications/", "CSV"),
        ("national", "/statistics/", "CSV"),
    ],
)
def test_the_toolbar_says_that_a_file_is_being_made_and_then_that_the_download_has_begun(
    browse_as: BrowseAs, make_application: MakeApplication, who: str, listed: str, kind: str
) -> None:
    """The second time, too, when the cookie of the first is still there."""
    make_application()
    page = browse_as(who).page
    page.goto(listed)
    page.route("**/export/**", answer_late)
    bar = page.locator(".bar-export [role=status]")
    for _time in range(2):
        bar.evaluate(WATCH)
        with page.expect_download() as download:
            page.get_by_role("link", name=f"导出 {kind}").click()
        assert download.value.suggested_filename.endswith(f".{kind.lower()}")
        expect(bar).to_have_text("下载已开始。")
        (making, words), (begun, _words) = page.evaluate("shown")
        assert words == "正在生成文件，请稍候。"
        assert begun - making > LATE * 900  # milliseconds
        page.reload()


def test_the_messages_to_customs_are_exported_by_keyboard_from_the_server(
    served: Server, browse_server_as: BrowseAs
) -> None:
    """数据交换 of a province: Tab to the link, Enter, and the file has the rows of the list."""
    shared_rows(served)
    page = browse_server_as("reviewer").page
    page.get_by_role("link", name="数据交换").click()
    shown = page.locator(".model-list td.col-message_id").all_inner_texts()
    link = page.get_by_role("link", name="导出 CSV")
    while not link.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    _head, *rows = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert shown
    assert [row.split(",")[0] for row in rows][: len(shown)] == shown
