"""Cells of a workbook with a formula error (#N/A, #REF!), which calamine reads as blank."""

import io
import os
import re
import zipfile

import xlrd

MARK = re.compile(rb"\bt=[\"']e[\"']")  # type of an XLSX cell (ECMA-376, 18.18.11)
ZIP = b"PK\x03\x04"

Errors = dict[tuple[int, int], str]


def formula_errors(content: bytes, sheet: str, rows: int, columns: int) -> Errors:
    """(row, column) from 0 → the error as shown by Excel, in the first `rows` and `columns` of a sheet.

    Raises the reader's own exception for an unreadable file: the caller must not take errors for blank cells.
    """
    read = _of_xlsx if content.startswith(ZIP) else _of_xls
    return read(content, sheet, rows, columns)


def _of_xlsx(content: bytes, sheet: str, rows: int, columns: int) -> Errors:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheets = [part for part in parts.namelist() if part.startswith("xl/worksheets/") and part.endswith(".xml")]
        if not sheets:  # ODS and XLSB: calamine reads them with errors as blanks
            raise ValueError("no XLSX")
        if not any(MARK.search(parts.read(part)) for part in sheets):
            return {}
    from openpyxl import load_workbook  # imported here: with numpy it takes 30 MB, and few files have such cells

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    cells = (cell for row in book[sheet].iter_rows(max_row=rows, max_col=columns) for cell in row)
    return {(cell.row - 1, cell.column - 1): str(cell.value) for cell in cells if cell.data_type == "e"}


def _of_xls(content: bytes, sheet: str, rows: int, columns: int) -> Errors:
    with open(os.devnull, "w") as silent:  # openpyxl prints warnings about files that it can read
        found = xlrd.open_workbook(file_contents=content, on_demand=True, logfile=silent).sheet_by_name(sheet)
    return {
        (row, column): xlrd.error_text_from_code.get(found.cell_value(row, column), "#N/A")
        for row in range(min(found.nrows, rows))
        for column in range(min(found.ncols, columns))
        if found.cell_type(row, column) == xlrd.XL_CELL_ERROR
    }
