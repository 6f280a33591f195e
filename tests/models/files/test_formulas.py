"""Formulas in workbooks: their errors, and those that were never computed, are not read as blank cells."""

import io
import zipfile
from collections.abc import Iterator

import pytest
import xlwt
from flask import Flask
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from xlsxwriter import Workbook as OtherWorkbook

from models.files.formula_errors import formula_errors
from models.files.table_file import FORMULA, MOST_COLUMNS, read_table

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _words(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


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


def test_formulas_without_a_result_are_read_beside_and_below_all_values() -> None:
    """The reader of values ends a sheet, and begins it, at those that have one."""
    book, out = Workbook(), io.BytesIO()
    for at, value in {"A2": "=1+1", "B2": "规格型号", "B3": "12 英寸", "C3": "=2*2", "B5": "=3*3"}.items():
        book.active[at] = value
    book.save(out)
    one, two, three = (f"{FORMULA}={n}" for n in ("1+1", "2*2", "3*3"))
    assert [row for row in read_table(out.getvalue())[0] if any(row)] == [
        [one, "规格型号"], ["", "12 英寸", two], ["", three]
    ]  # fmt: skip


def test_an_error_belongs_to_the_row_that_its_cell_names() -> None:
    """Rows need no number; a blank one may be left out."""
    out = io.BytesIO()
    with OtherWorkbook(out) as other:
        sheet = other.add_worksheet("载体")
        sheet.write_row(0, 0, [1, 2])
        sheet.write_row(2, 0, [3, 4])
    content = out.getvalue()
    for number in ("1", "3"):
        content = edited(content, "xl/worksheets/sheet1.xml", f'<row r="{number}"', "<row")
    content = edited(content, "xl/worksheets/sheet1.xml", '<c r="B3"><v>4</v></c>', '<c r="B3"><f>2+2</f></c>')
    assert read_table(content)[0] == [["1", "2"], ["", ""], ["3", f"{FORMULA}=2+2"]]


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
    ("cell", "shown"),
    [
        ('<c r="B1" t="str"><f>IF(C1="","",C1)</f><v></v></c>', ""),  # the empty text, as Excel writes it
        ("<x:c xmlns:x='{main}' r='B1' s='2' t='str'><x:f>C1</x:f><x:v/></x:c>", ""),
        ('<c r="B1"><f>C1</f><v>3</v></c>', "3"),
        ('<c r="B1"><v></v></c>', ""),
        ('<c r="B1"><f><![CDATA[C1>2&"<"]]></f></c>', f'{FORMULA}=C1>2&"<"'),
        ('<c r="B1"><f>C1<!-- x -->&gt;2</f><v><!-- y --></v></c>', f"{FORMULA}=C1>2"),
        ("<c><f>C1</f></c>", f"{FORMULA}=C1"),  # without a reference, as after A1
        ("<x:c xmlns:x='{main}' r='B1'><x:f t='shared' si='0'/><x:v/></x:c>", f"{FORMULA}="),
        ('<c r="B1">\n<f>C1</f>\n<v></v>\n</c>', f"{FORMULA}=C1"),
        ('<c r="B1" t="e"><f>C1</f><v>#REF!</v></c>', "#REF!"),
    ],
)
def test_a_formula_is_recognised_however_its_cell_is_written(cell: str, shown: str) -> None:
    cell = cell.replace("{main}", "http://schemas.openxmlformats.org/spreadsheetml/2006/main")
    out = io.BytesIO()
    with OtherWorkbook(out) as book:
        sheet = book.add_worksheet("载体")
        sheet.write_row(0, 0, [1, 2])
        sheet.write_row(1, 0, [9, 9])
    content = edited(out.getvalue(), "xl/worksheets/sheet1.xml", '<c r="B1"><v>2</v></c>', cell)
    assert read_table(content)[0] == [["1", shown], ["9", "9"]]


def test_formulas_are_found_on_the_sheet_that_is_read_within_the_columns_that_are_read() -> None:
    book, out = Workbook(), io.BytesIO()
    book.create_sheet("说明").append(["=1+1"])
    book.create_sheet("清单").append(["x", *[None] * MOST_COLUMNS, "=1+1"])
    book.save(out)
    for sheet, columns, found in (("说明", 1, ["=1+1"]), ("清单", MOST_COLUMNS, []), ("清单", 99, ["=1+1"])):
        assert [*formula_errors(out.getvalue(), sheet, 9, columns).values()] == [FORMULA + text for text in found]
    assert formula_errors(out.getvalue(), "说明", 0, 9) == {}


def edited(book: bytes, part: str, old: str, new: str) -> bytes:
    """The workbook with one text of a part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as parts, zipfile.ZipFile(out, "w") as copy:
        for name in parts.namelist():
            text = parts.read(name)
            copy.writestr(name, text.replace(old.encode(), new.encode()) if name == part else text)
    return out.getvalue()
