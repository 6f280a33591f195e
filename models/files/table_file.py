"""The cells of a workbook or CSV file as text; read in a worker process with limits, as it may be malicious."""

import io
import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from models.codes.sheet import read_csv
from models.files.worker import Busy, TooMany, Unfinished, WorkerProcess, WorkerTask
from models.workflow import Refused

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MOST_BYTES = 8 << 20
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 5_000, 60, 5_000
MOST_UNPACKED = 64 << 20  # bytes of all parts of an XLSX file
MEMORY, CPU, LONGEST, EACH = 1 << 29, 10, 30, 2
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # XLSX and XLS
ZIP = WORKBOOKS[0]
FORMULA = "\ufdd0"  # before the text of a formula without a result: a noncharacter, so that no typed text begins so


def read_table(content: bytes, owner: int | None = None) -> tuple[list[list[str]], list[str]]:
    """(rows of cells as text, names of the non-empty sheets, of which the first was read; CSV: none).

    A formula that was never computed begins with FORMULA. `owner`: the account that sent the file.
    Raises Refused when the file cannot be read or exceeds the limits.
    """
    if not content or len(content) > MOST_BYTES:
        sentence = _("文件超过 %(most)s MB，请只保留载体清单后重新选择。", most=MOST_BYTES >> 20)
        raise Refused(sentence if content else _("文件是空的，请核对后重新选择。"))
    try:
        rows, names, flaw = TABLES.run(content, owner)
    except TooMany:
        raise Refused(_("您的其他文件还在读取，请稍候再试。")) from None
    except Busy:
        raise Refused(_("系统正忙，没有读取文件，请稍后再试。")) from None
    except Unfinished:  # exceeded the limits of memory or time
        raise Refused(_("文件过大或已损坏，没有读取。请只保留载体清单，另存为新的 XLSX 后再试。")) from None
    if flaw == "password":
        raise Refused(_("文件设有密码，请取消密码后重新选择。"))
    if flaw == "large":
        raise Refused(_("表格超过 %(most)s 行，请删去多余的行（包括空行）后重新选择。", most=MOST_ROWS))
    if flaw:
        raise Refused(_("无法读取该文件，请使用 XLSX、XLS 或 CSV 格式。"))
    return rows, names


def _read(content: bytes) -> tuple[list[list[str]], list[str], str]:
    """(rows, names of sheets, flaw: "" for none); parses in the calling process, which alone imports the readers."""
    from python_calamine import PasswordError

    try:
        sheets = _sheets(content) if content.startswith(WORKBOOKS) else []
        cells = (
            _cells(sheets[0], content)
            if sheets
            else read_csv(content)
            if not content.startswith(WORKBOOKS)
            else iter(())
        )
        rows = [row[:MOST_COLUMNS] for row in islice(cells, MOST_ROWS + 1)]
    except PasswordError:
        return [], [], "password"
    except Exception:  # parsers raise errors of every kind on malformed files
        return [], [], "broken"
    if any("\0" in cell for row in rows[:50] for cell in row):  # binary: a picture, a program
        return [], [], "broken"
    short = [[cell[:LONGEST_CELL] for cell in row] for row in rows]
    return short, [sheet.name for sheet in sheets], "large" if len(rows) > MOST_ROWS else ""


def _sheets(content: bytes) -> "list[CalamineSheet]":
    """The visible, non-empty sheets. Raises ValueError for a file that exceeds MOST_UNPACKED."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    if content.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:
                raise ValueError("unpacks to too much")
    book = CalamineWorkbook.from_object(io.BytesIO(content))
    shown = (
        book.get_sheet_by_name(sheet.name)
        for sheet in islice(book.sheets_metadata, 20)
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    )
    return [sheet for sheet in shown if sheet.end is not None]


def _cells(sheet: "CalamineSheet", content: bytes) -> Iterator[list[str]]:
    """The rows from the top of the sheet, from the first column that holds anything; calamine sees only values."""
    from models.files.formula_errors import formula_errors

    assert sheet.start is not None
    left = sheet.start[1]
    errors = formula_errors(content, sheet.name, MOST_ROWS, left + MOST_COLUMNS) if _is_short(sheet) else {}
    wrong, first = defaultdict[int, dict[int, str]](dict), min((left, *(place for _at, place in errors)))
    for (at, place), text in errors.items():
        wrong[at][place] = text
    last = max(wrong, default=0)
    for at, row in enumerate(chain(sheet.iter_rows(), repeat(()))):
        if not row and at > last:
            return
        yield _with_errors([""] * (left - first) + [_as_text(value) for value in row[:MOST_COLUMNS]], first, wrong[at])


def _with_errors(texts: list[str], first: int, errors: dict[int, str]) -> list[str]:
    """The row with its errors, of which some may be beyond its last value; `first`: the column of its first text."""
    for place, text in errors.items():
        texts += [""] * (place - first + 1 - len(texts))
        texts[place - first] = text
    return texts


def _is_short(sheet: "CalamineSheet") -> bool:
    """Whether the sheet is within the limits; a longer one is refused before slower readers read it."""
    return sheet.total_height <= MOST_ROWS


def _as_text(value: Any) -> str:
    """A cell as a person sees it: 100.0 as 100, 0.1 + 0.2 as 0.3, a day as 2026-01-31."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):  # Excel shows 15 digits
        return f"{Decimal(f'{value:.15g}'):f}"
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _start_up() -> None:
    """Discard stderr: a failed allocation ends the process, and would write its stack into the server's log."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


TABLES = WorkerProcess(WorkerTask(_read, _start_up, memory=MEMORY, cpu=CPU), LONGEST, LONGEST, EACH)
