"""Cells of a workbook with a formula error (#N/A, #REF!) or an uncomputed formula, which calamine reads as blank."""

import io
import os
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import xlrd

from models.files.table_file import FORMULA

ERROR = re.compile(rb"\bt=[\"']e[\"']")  # type of an XLSX cell (ECMA-376, 18.18.11)
UNCOMPUTED = re.compile(  # a formula (18.3.1.40) without a value; in a cell of type "str" that is the empty text
    rb"<(?:\w+:)?c\b(?![^<>]*\st=[\"']str[\"'])[^<>]*+>\s*+"
    rb"<(?:\w+:)?f\b[^<>]*+(?:(?<=/)>|>[^<]*+</(?:\w+:)?f>)\s*+"
    rb"(?:<(?:\w+:)?v\s*+/>|<(?:\w+:)?v>\s*+</(?:\w+:)?v>)?+\s*+</(?:\w+:)?c>"
)
ZIP = b"PK\x03\x04"

Errors = dict[tuple[int, int], str]


def formula_errors(content: bytes, sheet: str, rows: int, columns: int) -> Errors:
    """(row, column) from 0 → the error as shown by Excel, in the first `rows` and `columns` of a sheet.

    Of a formula that was never computed, as many programs write it: FORMULA and its text, "=A1*2".
    Raises the reader's own exception for an unreadable file: the caller must not take errors for blank cells.
    """
    read = _of_xlsx if content.startswith(ZIP) else _of_xls
    return read(content, sheet, rows, columns)


def _of_xlsx(content: bytes, sheet: str, rows: int, columns: int) -> Errors:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        names = [part for part in parts.namelist() if part.startswith("xl/worksheets/") and part.endswith(".xml")]
        if not names:  # ODS and XLSB: calamine reads them with errors as blanks
            raise ValueError("no XLSX")
        has_errors = is_uncomputed = False
        for part in map(parts.read, names):  # each is unpacked once
            has_errors = has_errors or bool(ERROR.search(part))
            is_uncomputed = is_uncomputed or bool(UNCOMPUTED.search(part))
    if not has_errors and not is_uncomputed:
        return {}
    found, blank = {}, set()
    for cell in _cells(content, sheet, rows, columns, data_only=True):
        if cell.data_type == "e":
            found[cell.row - 1, cell.column - 1] = str(cell.value)
        elif cell.data_type == "n" and cell.value is None:  # the empty text, as a result, has the type "str"
            blank.add((cell.row - 1, cell.column - 1))
    if is_uncomputed:
        for cell in _cells(content, sheet, rows, columns, data_only=False):
            if cell.data_type == "f" and (cell.row - 1, cell.column - 1) in blank:
                formula = cell.value if isinstance(cell.value, str) else getattr(cell.value, "text", None)
                text = FORMULA + (formula or "=")  # the table of a what-if analysis has no text
                found[cell.row - 1, cell.column - 1] = text
    return found


def _cells(content: bytes, sheet: str, rows: int, columns: int, data_only: bool) -> Iterator[Any]:
    """The cells that the sheet has; `data_only`: with the results of formulas instead of the formulas."""
    from openpyxl import load_workbook  # imported here: with numpy it takes 30 MB, and few files have such cells
    from openpyxl.cell.read_only import EmptyCell

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=data_only)
    for row in book[sheet].iter_rows(max_row=rows, max_col=columns):
        yield from (cell for cell in row if not isinstance(cell, EmptyCell))


def _of_xls(content: bytes, sheet: str, rows: int, columns: int) -> Errors:
    with open(os.devnull, "w") as silent:  # openpyxl prints warnings about files that it can read
        found = xlrd.open_workbook(file_contents=content, on_demand=True, logfile=silent).sheet_by_name(sheet)
    return {
        (row, column): xlrd.error_text_from_code.get(found.cell_value(row, column), "#N/A")
        for row in range(min(found.nrows, rows))
        for column in range(min(found.ncols, columns))
        if found.cell_type(row, column) == xlrd.XL_CELL_ERROR
    }
