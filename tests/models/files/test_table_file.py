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
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from xlsxwriter import Workbook as OtherWorkbook

from models.files.formula_errors import UNCOMPUTED
from models.files.table_file import FORMULA, MOST_BYTES, MOST_ROWS, read_table
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


@pytest.mark.slow
def test_a_formula_error_is_not_read_as_a_blank_cell() -> None:
    """As two programs write it, at different first cells; calamine alone reads a blank."""
    book, out = Workbook(), io.BytesIO()
    for at, (value, kind) in {"C3": ("规格型号", "s"), "C4": ("#N/A", "e"), "D5": ("#REF!", "e")}.items():
        book.active[at] = value
        book.active[at].data_type = kind
    book.save(out)
    rows, _names = read_table(out.getvalue())
    found = {(at, place): cell for at, row in enumerate(rows) for place, cell in enumerate(row) if cell}
    assert sorted(found.values()) == ["#N/A", "#REF!", "规格型号"]
    (head,), (wrong,) = ([place for place, cell in found.items() if cell == word] for word in ("规格型号", "#N/A"))
    assert wrong == (head[0] + 1, head[1])
    out = io.BytesIO()
    with OtherWorkbook(out) as other:
        sheet = other.add_worksheet("载体")
        sheet.write_row(0, 0, ["规格型号", "进口数量"])
        sheet.write_formula(1, 0, "=NA()", None, "#N/A")
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    assert read_table(out.getvalue())[0] == [["规格型号", "进口数量"], ["#N/A", "#DIV/0!"]]
    old, out = xlwt.Workbook(), io.BytesIO()
    sheet = old.add_sheet("载体")
    sheet.write(1, 1, "规格型号")
    sheet.row(2).set_cell_error(1, 0x2A)
    sheet.row(3).set_cell_error(2, 0x07)
    old.save(out)
    assert read_table(out.getvalue())[0] == [["", ""], ["规格型号", ""], ["#N/A", ""], ["", "#DIV/0!"]]


@pytest.mark.slow
def test_a_formula_that_was_never_computed_is_not_read_as_a_blank_cell() -> None:
    """As openpyxl writes it, and many programs with it; the empty text is a result."""
    book, out = Workbook(), io.BytesIO()
    for row in (["规格型号", "单价", "备注", "名称"], ["12 英寸", "=1.5*2", '=A2&"红"'], ["7 英寸", 3, "=SUM(B3)"]):
        book.active.append(row)
    book.active["D2"] = ArrayFormula("D2:D3", "=A2:A3")
    book.save(out)
    assert read_table(out.getvalue())[0][1:] == [
        ["12 英寸", f"{FORMULA}=1.5*2", f'{FORMULA}=A2&"红"', f"{FORMULA}=A2:A3"],
        ["7 英寸", "3", f"{FORMULA}=SUM(B3)", ""],
    ]
    out = io.BytesIO()
    with OtherWorkbook(out) as other:
        sheet = other.add_worksheet("载体")
        for place, (formula, value) in enumerate({"=1.5*2": 3, '=""': "空", "=NA()": "#N/A"}.items()):
            sheet.write_formula(0, place, formula, None, value)
    emptied = edited(out.getvalue(), "xl/worksheets/sheet1.xml", "<v>空</v>", "<v></v>")
    assert read_table(emptied)[0] == [["3", "", "#N/A"]]


def test_a_text_that_begins_like_a_formula_is_read_as_text() -> None:
    out = io.BytesIO()
    with OtherWorkbook(out) as book:
        book.add_worksheet("载体").write_string(0, 0, "=赠品，随书")
    assert read_table(out.getvalue())[0] == read_table("=赠品，随书\n".encode())[0] == [["=赠品，随书"]]


def test_a_table_of_a_what_if_analysis_is_shown_as_a_formula_without_text() -> None:
    book, out = Workbook(), io.BytesIO()
    book.active.append(["规格型号", DataTableFormula("B1:B2", r1="A1"), "单位"])
    book.save(out)
    assert read_table(out.getvalue())[0] == [["规格型号", f"{FORMULA}=", "单位"]]


@pytest.mark.parametrize(
    ("cell", "uncomputed"),
    [
        ('<c r="A1" t="str"><f>IF(B1="","",B1)</f><v></v></c>', False),  # the empty text, as Excel writes it
        ("<x:c r='A1' s='2' t='str'><x:f>B1</x:f><x:v/></x:c>", False),
        ('<c r="A1"><f>B1</f><v>3</v></c>', False),
        ('<c r="A1"/><c r="B1"><v></v></c>', False),
        ('<c r="A1" t="str"><f>B1</f><v></v></c><c r="A2"><f>B1>2</f></c>', True),
        ('<x:c r="A1"><x:f t="shared" si="0"/><x:v/></x:c>', True),
        ('<c r="A1">\n<f>B1</f>\n<v></v>\n</c>', True),
    ],
)
def test_only_a_formula_without_a_result_starts_the_slow_reader(cell: str, uncomputed: bool) -> None:
    """Two passes over 500,000 formulas with the empty text would take 14 s."""
    assert bool(UNCOMPUTED.search((cell * 3).encode())) is uncomputed


def edited(book: bytes, part: str, old: str, new: str) -> bytes:
    """The workbook with one text of a part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as parts, zipfile.ZipFile(out, "w") as copy:
        for name in parts.namelist():
            text = parts.read(name)
            copy.writestr(name, text.replace(old.encode(), new.encode()) if name == part else text)
    return out.getvalue()


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
