"""A list as CSV or Excel: no cell can become a formula, and Excel reads the Chinese."""

import csv
import io
from typing import Any

from flask import Response
from flask_babel import gettext as _
from openpyxl import Workbook

from models import clock
from views.base import NOTHING, REACH, shown_value

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST = REACH
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(kind: str, name: str, columns: list[tuple[str, Any]], rows: list[Any]) -> Response:
    """A download named after the screen and the moment; more rows than MOST are left out, and its last line says so."""
    lines = [[str(label) for _name, label in columns]]
    lines += [[cell(row, name) for name, _label in columns] for row in rows[:MOST]]
    if len(rows) > MOST:
        lines.append([_("只导出了前 %(most)s 条，请缩小查询范围后分次导出。", most=MOST)])
    body = {"csv": _csv, "xlsx": _xlsx}[kind](lines)
    response = Response(body, mimetype=TYPES[kind])
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}-{clock.now():%Y%m%d-%H%M%S}.{kind}")
    return response


def cell(row: Any, name: str) -> str:
    """A cell's text; one that a spreadsheet would run is told apart by a leading apostrophe."""
    value = shown_value(row, name)
    text = "" if value is NOTHING else str(value)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def _csv(lines: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue().encode("utf-8-sig")


def _xlsx(lines: list[list[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in lines:
        sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
