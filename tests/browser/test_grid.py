"""载体信息 as a sheet: pasted from a workbook, checked before it is filled in, worked by keys, folded, saved whole.

On SQLite alone: what is tried here is a script in a browser.
"""

import io
import time

import pytest
from openpyxl import Workbook
from playwright.sync_api import expect

from tests.browser.conftest import BrowseAs
from tests.browser.sheet import clipboard_text, fill_in, paste, values
from tests.browser.test_accessibility import flawless
from tests.conftest import MakeApplication, StoredRows

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
HEADINGS = ["载体类型", "规格型号", "进口数量", "单位"]


def test_a_block_from_a_workbook_is_previewed_then_filled_in_and_saved(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Headings in any order, 1,000 and １，０００, a code by its name, quotation marks and line ends in a cell."""
    key = make_application(carriers=1)
    publisher = browse_as("publisher")
    publisher.page.goto(f"/applications/edit/?id={key}")
    block = clipboard_text([
        ["单位", "规格型号（英寸）", "数量", "载体类型", "箱号"], ["张", '12" 双张', "1,000", "黑胶唱片", "A1"],
        ["010", "七寸\n单张", "２，０００", "dvd", "A2"], [None, None, None, None, None],
    ])  # fmt: skip
    page = paste(publisher, block)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("共 2 行，没有发现错误。")
    expect(dialog).to_contain_text("没有读入的列：箱号。")
    expect(dialog).to_contain_text("有 1 个单元格内有换行，已改为空格。")
    fill_in(publisher)
    assert values(page, "specification")[1:] == ['12" 双张', "七寸 单张"]
    assert values(page, "unit")[1:] == ["010-张", "010-张"]
    expect(page.locator(".totals")).to_contain_text("共 3 条")
    publisher.turn_over("保存")
    rows = stored_rows(key)["carrier"][1:]
    assert [(row["kind"], row["unit"], row["specification"]) for row in rows] == [
        ("黑胶唱片", "010", '12" 双张'), ("DVD", "010", "七寸 单张")
    ]  # fmt: skip
    assert [str(row["quantity"]) for row in rows] == ["1000", "2000"]


def test_each_wrong_cell_shows_its_error_and_a_block_is_filled_in_whole_or_not_at_all(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    key = make_application(carriers=2)
    publisher = browse_as("publisher")
    publisher.page.goto(f"/applications/edit/?id={key}")
    before = values(publisher.page, "specification")
    block = clipboard_text([HEADINGS, ["黑胶唱片", "12 英寸", "1,5", "张"], ["蜡筒", None, "20", "包裹"]])
    page = paste(publisher, block)
    dialog = page.get_by_role("dialog")
    for words in (
        "有 4 处需要改正",
        "请写成 1500 或 1.5 这样的数字",
        "“蜡筒”不在代码表中",
        "请填写规格型号。",
        "“包裹”不在代码表中",
    ):
        expect(dialog).to_contain_text(words)
    flawless(page, "the preview of a block with errors")
    publisher.answer("取消")
    assert values(page, "specification") == before
    page = paste(publisher, block)
    page.get_by_label("替换现有全部各行").check()
    fill_in(publisher)
    assert values(page, "specification") == ["12 英寸", ""]
    assert values(page, "kind") == ["黑胶唱片", "蜡筒"]
    expect(page.locator("tr.inline-row:visible td.wrong")).to_have_count(4)
    expect(page.get_by_role("status").filter(has_text="其中 4 处还需改正")).to_be_visible()
    flawless(page, "the table after it was filled in")
    page.locator("tr.inline-row:visible td.col-kind.wrong input").fill("BD")
    expect(page.locator("tr.inline-row:visible td.wrong")).to_have_count(3)


def test_blanks_of_merged_cells_repeat_the_cell_above_only_when_asked(browse_as: BrowseAs) -> None:
    publisher = browse_as("publisher")
    publisher.page.goto("/applications/new/")
    page = paste(
        publisher, clipboard_text([HEADINGS, ["黑胶唱片", "甲", 1, "张"], [None, "乙", 2, None], [None, "丙", 3, None]])
    )
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("有 2 处需要改正")
    dialog.get_by_label("单位（2 处空白）").check()
    expect(dialog).to_contain_text("共 3 行，没有发现错误。")
    expect(dialog.get_by_text("沿用上一行", exact=True)).to_have_count(2)
    fill_in(publisher)
    assert values(page, "unit") == ["010-张"] * 3
    assert values(page, "kind") == ["黑胶唱片", "", ""]


def test_a_pasted_column_without_heading_goes_to_the_column_of_the_cursor(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """One column of numbers over the quantities of the rows that are there."""
    publisher = browse_as("publisher")
    publisher.page.goto(f"/applications/edit/?id={make_application(carriers=3)}")
    specifications = values(publisher.page, "specification")
    page = paste(publisher, "7\r\n8\r\n9\r\n", "#carriers-1-quantity")
    page.get_by_label("从当前单元格起覆盖").check()
    fill_in(publisher)
    assert values(page, "quantity")[1:] == ["7", "8", "9"]
    assert values(page, "specification") == [*specifications, ""]
    paste(publisher, "70\r\n\r\n90\r\n", "#carriers-1-quantity")  # a blank cell leaves its row as it is
    page.get_by_label("从当前单元格起覆盖").check()
    fill_in(publisher)
    assert values(page, "quantity")[1:] == ["70", "8", "90"]
    paste(publisher, "一个词", "#carriers-0-note")
    expect(page.locator("#carriers-0-note")).to_have_value("一个词")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_three_thousand_rows_are_pasted_folded_and_saved_whole(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application(carriers=1)
    publisher = browse_as("publisher")
    publisher.page.goto(f"/applications/edit/?id={key}")
    rows = [
        ["黑胶唱片", f"第 {n} 卷", n + 1, "张", f"名称 {n}", f"ISRC {n}", 12.5, "USD", "附歌词"] for n in range(3000)
    ]
    began = time.monotonic()
    page = paste(publisher, clipboard_text([[*HEADINGS, "名称", "版号", "单价", "币制", "备注"], *rows]))
    expect(page.get_by_role("dialog")).to_contain_text("共 3000 行，没有发现错误。")
    previewed = time.monotonic()
    page.get_by_label("替换现有全部各行").check()
    fill_in(publisher)
    expect(page.locator(".totals")).to_have_text("共 3000 条：4,501,500 张")
    filled = time.monotonic()
    assert page.locator("tr.inline-row:visible").count() == 20
    expect(page.get_by_role("button", name="展开全部 3000 条")).to_be_visible()
    with page.expect_navigation(timeout=120_000):
        publisher.press("保存")
    saved = time.monotonic()
    print(f"preview {previewed - began:.1f} s, fill {filled - previewed:.1f} s, save {saved - filled:.1f} s")  # noqa: T201
    assert [row["specification"] for row in stored_rows(key)["carrier"]] == [f"第 {n} 卷" for n in range(3000)]


def test_the_carrier_table_has_the_keys_of_a_spreadsheet(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """↑ ↓ Enter stay in the column, ← → go on from the edge, ↓ in the last row adds one, Ctrl+D fills from above,
    Ctrl+Home and Ctrl+End go to the first and the last cell.
    """
    page = browse_as("publisher").page
    page.goto(f"/applications/edit/?id={make_application(carriers=2)}")

    def here() -> str:
        return str(page.evaluate("document.activeElement.id"))

    def press(*keys: str) -> str:
        for key in keys:
            page.keyboard.press(key)
        return here()

    page.locator("#carriers-0-quantity").focus()
    assert press("ArrowDown") == "carriers-1-quantity"
    assert press("ArrowUp", "Enter") == "carriers-1-quantity"
    assert press("Shift+Enter") == "carriers-0-quantity"
    assert press("ArrowRight") == "carriers-0-unit"  # all of it is selected
    assert press("ArrowDown") == "carriers-1-unit"  # a closed list leaves the arrow to the sheet
    assert press("ArrowLeft") == "carriers-1-quantity"
    page.keyboard.type("345")
    assert press("Home", "ArrowRight") == "carriers-1-quantity"  # within the text
    assert press("ArrowDown") == "carriers-2-quantity"
    assert press("Control+d") == "carriers-2-quantity"
    expect(page.locator("#carriers-2-quantity")).to_have_value("345")
    press("ArrowRight", "Alt+ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()
    press("ArrowDown", "Enter")
    assert here() == "carriers-2-unit"
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert (press("Control+Home"), press("Control+End")) == ("carriers-0-kind", "carriers-2-note")


def test_a_long_table_is_skipped_by_keyboard(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """Twenty rows are more than two hundred presses of Tab: a link before them leads past the table."""
    page = browse_as("publisher").page
    page.goto(f"/applications/edit/?id={make_application(carriers=20)}")
    page.locator("#carriers-0-kind").focus()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="跳过载体信息")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#attachments :focus")).to_have_count(1)


def test_a_row_is_duplicated_and_a_column_filled_down(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={make_application(carriers=1)}")
    first = values(page, "specification")
    publisher.press("复制", page.locator("tr.inline-row").first)
    publisher.press("复制", page.locator("tr.inline-row").first)
    assert values(page, "specification") == first * 3
    page.locator("tr.inline-row .col-note input").first.fill("附歌词")
    publisher.press("向下填充")
    assert values(page, "note") == ["附歌词"] * 3


def test_a_spreadsheet_is_read_and_not_stored(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    book, out = Workbook(), io.BytesIO()
    for row in [["载体清单"], [], HEADINGS, ["DVD", "D9", 300, "盒"]]:
        book.active.append(row)
    book.create_sheet("说明").append(["略"])
    book.save(out)
    key = make_application(carriers=1)
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={key}")
    file = {"name": "清单.xlsx", "mimeType": "application/octet-stream", "buffer": out.getvalue()}
    page.locator("#carrier-file").set_input_files(file)  # type: ignore[arg-type]
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("标题行以上没有读入：载体清单。", timeout=90_000)  # the reader has to start
    expect(dialog).to_contain_text("只读入了工作表“Sheet”，没有读入：“说明”。")
    fill_in(publisher)
    assert values(page, "quantity")[-1] == "300"
    page.locator("#carrier-file").set_input_files({**file, "buffer": b"\x89PNG\r\n\0\0\0"})  # type: ignore[arg-type]
    expect(dialog).to_contain_text("无法读取该文件，请使用 XLSX、XLS 或 CSV 格式。")
    publisher.answer("确定")
    assert len(stored_rows(key)["carrier"]) == 1


def test_a_file_can_be_chosen_before_the_first_save(browse_as: BrowseAs) -> None:
    publisher = browse_as("publisher")
    publisher.page.goto("/applications/new/")
    expect(publisher.page.locator("#carriers").get_by_text("导入载体清单")).to_be_visible()
    rows = ",".join(HEADINGS) + "\nDVD,D9,300,盒\n"
    file = {"name": "清单.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    publisher.page.locator("#carrier-file").set_input_files(file)  # type: ignore[arg-type]
    expect(publisher.page.get_by_role("dialog")).to_contain_text("共 1 行，没有发现错误。", timeout=90_000)
    fill_in(publisher)
    assert values(publisher.page, "quantity") == ["300"]
