"""Tables as CSV or XLSX with typed cells: no text becomes a formula, no code a number."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from flask import Response, send_file
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from models import clock
from models.columns import readable
from views.panel.download import name_plainly

TYPES = {
    "csv": "text/csv",  # Flask adds the charset
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # not allowed in XML 1.0
STARTS_A_FORMULA = frozenset("=+-@\N{MINUS SIGN}")  # in any width: ＝ ﹢ ＠; some programs read these as well
UNSEEN = frozenset({"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"})  # categories of controls, format characters, blanks
NARROWEST, WIDEST = 8, 48  # width of a column in XLSX, in characters
MEASURED = 200  # rows from which the width of a column is computed


@dataclass(frozen=True)
class Column:
    """A heading, and the value of a row below it: text, date, number, Word or None."""

    label: str
    value: Callable[[Any], Any]


@dataclass(frozen=True)
class Sheet:
    """A named table; `note`: an extra last line. Rows are read once, in order."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Any]
    note: str = ""

    def lines(self) -> Iterable[list[Any]]:
        """The cells of each row, then the note."""
        for row in self.rows:
            yield [cell(column.value(row)) for column in self.columns]
        if self.note:
            yield [self.note, *[None] * (len(self.columns) - 1)]


def cell(value: Any) -> str | date | int | Decimal | None:
    """A value for a cell; text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP)."""
    match value := readable(value):
        case datetime():  # spreadsheets have no time zones
            return value.astimezone(clock.SHANGHAI).replace(tzinfo=None) if value.tzinfo else value
        case None | date() | int() | Decimal():
            return value
    text = UNWRITABLE.sub("", str(value))
    return f"'{text}" if is_like_formula(text) else text


def is_like_formula(text: str) -> bool:
    """Whether a spreadsheet may run `text`: after blanks and unseen characters, which some programs cut off, it starts
    with a sign of a formula; or it starts with a tab or a line break."""
    if text.startswith(("\t", "\r", "\n")):
        return True
    seen = next((each for each in text if unicodedata.category(each) not in UNSEEN), "")
    return unicodedata.normalize("NFKC", seen) in STARTS_A_FORMULA


def download(kind: str, name: str, plain: str, sheets: Sequence[Sheet]) -> Response:
    """A file named after `name` and the day, in ASCII after `plain`; CSV holds the first sheet alone."""
    body = to_csv(sheets[0]) if kind == "csv" else to_xlsx(sheets)
    day = clock.today()
    file = f"{name}-{day}.{kind}"
    answer = send_file(io.BytesIO(body), mimetype=TYPES[kind], as_attachment=True, download_name=file)
    return name_plainly(answer, file, f"{plain}-{day}.{kind}")


def to_csv(sheet: Sheet) -> bytes:
    """UTF-8 with a byte order mark: without it Excel assumes GBK."""
    out = io.StringIO()
    csv.writer(out).writerows(chain([[column.label for column in sheet.columns]], sheet.lines()))
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """A workbook: headings bold, frozen and with filters; dates and numbers typed, everything else text."""
    out = io.BytesIO()
    with Workbook(out, {"constant_memory": True}) as book:  # each row is flushed before the next
        heading, text = book.add_format({"bold": True, "num_format": "@"}), book.add_format({"num_format": "@"})
        day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        for sheet in sheets:
            _write(book.add_worksheet(sheet.name), sheet, heading, {str: text, date: day, datetime: moment})
    return out.getvalue()


def _write(page: Worksheet, sheet: Sheet, heading: Format, formats: dict[type, Format]) -> None:
    """Write one table into a worksheet; `formats`: type of value → format."""
    labels = [column.label for column in sheet.columns]
    widths = [_width(label) for label in labels]
    page.write_row(0, 0, labels, heading)
    last = 0
    for last, line in enumerate(sheet.lines(), start=1):
        for column, value in enumerate(line):
            _write_cell(page, last, column, value, formats.get(type(value)))
            if last <= MEASURED:
                widths[column] = max(widths[column], _width(value))
    for column, width in enumerate(widths):
        page.set_column(column, column, min(max(width + 2, NARROWEST), WIDEST))
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, last - bool(sheet.note), len(labels) - 1)


def _write_cell(page: Worksheet, row: int, column: int, value: Any, form: Format | None) -> None:
    """Write one cell. Text stays text, also when edited in Excel, whatever it looks like (8523499030, #N/A, =1+1)."""
    match value:
        case str():
            page.write_string(row, column, value, form)
        case date():  # and datetime
            page.write_datetime(row, column, value, form)
        case int() | Decimal():
            page.write_number(row, column, value)


def _width(value: Any) -> int:
    """The display width of a cell; a Chinese character counts as two."""
    text = str(value if value is not None else "")[:WIDEST]
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
