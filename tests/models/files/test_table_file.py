"""Workbooks and CSV files as other programs write them, and as an attacker would."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date

import pytest
import xlwt
from flask import Flask
from openpyxl import Workbook
from xlsxwriter import Workbook as OtherWorkbook

from models.files.table_file import MOST_BYTES, MOST_ROWS, read_table
from models.workflow import Refused

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
ROWS = [["规格型号", "进口数量", "单位"], ["12 英寸", "1000", "张"], ["7 英寸", "0.3", "010"]]


@pytest.fixture(autouse=True)
def _words(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def by_openpyxl() -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in [ROWS[0], ["12 英寸", 1000, "张"], ["7 英寸", 0.1 + 0.2, "010"]]:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def by_xlsxwriter() -> bytes:
    out = io.BytesIO()
    with OtherWorkbook(out, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("载体")
        for at, row in enumerate([ROWS[0], ["12 英寸", 1000, "张"], ["7 英寸", 0.3, "010"]]):
            sheet.write_row(at, 0, row)
    return out.getvalue()


def by_xlwt() -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("载体")
    for at, row in enumerate([ROWS[0], ["12 英寸", 1000, "张"], ["7 英寸", 0.3, "010"]]):
        for place, value in enumerate(row):
            sheet.write(at, place, value)
    book.save(out)
    return out.getvalue()


def as_csv(encoding: str, separator: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(ROWS)
    return out.getvalue().encode(encoding)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [by_openpyxl(), by_xlsxwriter(), by_xlwt(), as_csv("utf-8-sig"), as_csv("gb18030"), as_csv("utf-16", "\t")],
    ids=[
        "xlsx of openpyxl",
        "xlsx of xlsxwriter",
        "xls of xlwt",
        "UTF-8 with BOM",
        "GB 18030",
        "Unicode text of Excel",
    ],
)
def test_a_table_is_read_in_the_formats_of_every_program(content: bytes) -> None:
    assert read_table(content)[0] == ROWS


@pytest.mark.slow
def test_cells_are_read_as_displayed() -> None:
    book, out = Workbook(), io.BytesIO()
    book.active.append([date(2026, 1, 31), True, 8523499030, 1e20, None, "01", 12.50])
    book.active.merge_cells("A3:A5")
    book.active["A3"] = "合并"
    book.active["B5"] = "末"
    book.save(out)
    rows, _names = read_table(out.getvalue())
    assert rows[0] == ["2026-01-31", "TRUE", "8523499030", "100000000000000000000", "", "01", "12.5"]
    assert [row[:2] for row in rows[2:]] == [["合并", ""], ["", ""], ["", "末"]]


@pytest.mark.slow
def test_the_first_sheet_with_content_is_read_and_the_others_are_named() -> None:
    book, out = Workbook(), io.BytesIO()
    for name, cell in (("隐藏", "a"), ("清单", "b"), ("说明", "c")):
        book.create_sheet(name).append([cell])
    book["隐藏"].sheet_state = "hidden"
    book.save(out)
    assert read_table(out.getvalue()) == ([["b"]], ["清单", "说明"])


def unpacks_to(size: int) -> bytes:
    out = io.BytesIO(by_openpyxl())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/zeros.bin", b"\0" * size)
    return out.getvalue()


def far_corner() -> bytes:
    """Two cells, between which lie seventeen thousand million."""
    book, out = Workbook(), io.BytesIO()
    book.active["A1"] = book.active["XFD1048576"] = "a"
    book.save(out)
    return out.getvalue()


def many_rows(count: int) -> bytes:
    return "规格\n".encode() + b"x\n" * count


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "文件是空的"),
        (b"x" * (MOST_BYTES + 1), "文件超过 8 MB"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "无法读取该文件"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\0", "无法读取该文件"),
        (by_openpyxl()[:900], "无法读取该文件"),
        (by_xlwt()[:700], "无法读取该文件"),
        (unpacks_to(80 << 20), "无法读取该文件"),
        (many_rows(MOST_ROWS + 5), "表格超过 5000 行"),
    ],
    ids=["empty", "large", "picture", "pdf", "cut xlsx", "cut xls", "bomb", "rows"],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_with_a_message(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_table(content)


@pytest.mark.slow
def test_a_workbook_that_kills_its_reader_affects_no_other_task() -> None:
    with pytest.raises(Refused, match="文件过大或已损坏"):
        read_table(far_corner())
    assert read_table(by_openpyxl())[0] == ROWS
