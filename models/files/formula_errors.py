"""Cells of a workbook with a formula error (#N/A, #REF!) or an uncomputed formula, which calamine reads as blank."""

import io
import os
import posixpath
import re
import zipfile
from typing import Any

import xlrd

from models.files.table_file import FORMULA

CANDIDATE = re.compile(rb"\bt=[\"']e[\"']|<(?:\w+:)?f[\s/>]")  # an XLSX cell of type error (18.18.11), or a formula
ZIP = b"PK\x03\x04"
PARSER = {"resolve_entities": False, "remove_comments": True, "remove_pis": True}

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
        if not any(CANDIDATE.search(parts.read(name)) for name in names):
            return {}
        part = parts.read(_part_of(parts, sheet))
    return _in_sheet(part, rows, columns)


def _part_of(parts: zipfile.ZipFile, sheet: str) -> str:
    """The name of the part with this sheet (ECMA-376, 18.2.19). Raises LookupError."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]  # here: few files have such cells

    book, links = (
        etree.fromstring(parts.read(f"xl/{name}"), etree.XMLParser(**PARSER))
        for name in ("workbook.xml", "_rels/workbook.xml.rels")
    )
    keys = {
        each.get("name"): value for each in book.iter("{*}sheet") for name, value in each.items() if name[-3:] == "}id"
    }
    targets = {link.get("Id"): link.get("Target") for link in links}
    return posixpath.normpath(posixpath.join("/xl", targets[keys[sheet]])).lstrip("/")


def _in_sheet(part: bytes, rows: int, columns: int) -> Errors:
    """formula_errors() in the XML of a sheet, which is read once. A row or cell without a number follows the last.

    The number in the reference of a cell counts more than that of its row, as for calamine.
    """
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    found, at = Errors(), -1
    for _event, row in etree.iterparse(io.BytesIO(part), tag="{*}row", **PARSER):
        at = int(row.get("r") or at + 2) - 1
        if at >= rows:
            break
        place = -1
        for cell in row:
            at, place = _place(cell.get("r")) if cell.get("r") else (at, place + 1)
            if at < rows and place < columns and (text := _text(cell)):
                found[at, place] = text
        row.clear()
    return found


def _place(reference: str) -> tuple[int, int]:
    """B7 → (6, 1)."""
    letters, place = reference.rstrip("0123456789"), 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(letters) :]) - 1, place - 1


def _text(cell: Any) -> str:
    """The error, or the formula without a value; "" for any other cell. The value of a text may be empty."""
    kind = cell.get("t", "n")
    if kind in ("s", "str", "inlineStr"):
        return ""
    inner = {child.tag.rpartition("}")[2]: child.text or "" for child in cell}
    value = inner.get("v", "").strip()
    if "f" in inner and not value:  # a further cell of a shared formula, and a what-if analysis, have no text
        return f"{FORMULA}={inner['f']}"
    return value if kind == "e" else ""


def _of_xls(content: bytes, sheet: str, rows: int, columns: int) -> Errors:
    with open(os.devnull, "w") as silent:  # xlrd prints warnings about files that it can read
        found = xlrd.open_workbook(file_contents=content, on_demand=True, logfile=silent).sheet_by_name(sheet)
    return {
        (row, column): xlrd.error_text_from_code.get(found.cell_value(row, column), "#N/A")
        for row in range(min(found.nrows, rows))
        for column in range(min(found.ncols, columns))
        if found.cell_type(row, column) == xlrd.XL_CELL_ERROR
    }
