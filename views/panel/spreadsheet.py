"""Tables as CSV or XLSX with typed cells: no text becomes a formula, no code a number. Memory use is constant."""

import csv
import io
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

from flask import Response, current_app, send_file, stream_with_context
from flask_babel import lazy_gettext as _l

from models import clock
from models.columns import readable
from models.language import in_chinese
from models.vocabulary import Word
from models.workflow import Refused
from views.panel.download import add_ascii_name

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

BEGUN = "filing-export"  # a cookie by which the page learns that the download has begun
TYPES = {
    "csv": "text/csv",  # Flask adds the charset
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # not allowed in XML 1.0
STARTS_A_FORMULA = frozenset("=+-@\N{MINUS SIGN}")  # in any width: ＝ ﹢ ＠; some programs read these as well
UNSEEN = frozenset({"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"})  # Unicode categories: controls, format characters, blanks
NARROWEST, WIDEST = 8, 48  # width of a column in XLSX, in characters
MOST_ROWS = 1_048_574  # rows of an XLSX sheet without its heading and a note
SECONDS = 150  # limit for making a workbook; nginx waits 180 s for the first byte
BLOCK = 256 << 10  # bytes of CSV per block
MEASURED = 200  # first rows, from which the widths of columns are computed


@dataclass(frozen=True)
class Column:
    """A heading, and a function from row to value: text, date, number, Word or None."""

    label: str
    value: Callable[[Any], Any]


@dataclass(frozen=True)
class Sheet:
    """A named table. Rows are iterated once; then `note()` returns an additional last line, or ""."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Any]
    note: Callable[[], str] = str

    def lines(self) -> Iterable[list[Any]]:
        """The cells of each row, then the note."""
        for row in self.rows:
            yield [cell(column.value(row)) for column in self.columns]
        if note := self.note():
            yield [note, *[None] * (len(self.columns) - 1)]


def cell(value: Any) -> str | date | int | Decimal | None:
    """A value for a cell; text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP)."""
    if not isinstance(value, str) or isinstance(value, Word):
        match value := readable(value):
            case datetime():  # no time zones there; with a fraction Excel shows minutes: 08:35.8
                local = value.astimezone(clock.SHANGHAI) if value.tzinfo else value
                return local.replace(tzinfo=None, microsecond=0)
            case None | date() | int() | Decimal():
                return value
    text = str(value)
    if not text.isprintable():  # the usual case
        text = UNWRITABLE.sub("", text)
    if text[:1].isalnum():  # the usual case: no formula begins so
        return text
    return (f"'{text}" if is_like_formula(text) else text) or None


def is_like_formula(text: str) -> bool:
    """Whether a spreadsheet may run `text`: after blanks and unseen characters, which some programs cut off, it starts
    with a sign of a formula; or it starts with a tab or a line break."""
    if text.startswith(("\t", "\r", "\n")):
        return True
    first = next((each for each in text if unicodedata.category(each) not in UNSEEN), "")
    return unicodedata.normalize("NFKC", first) in STARTS_A_FORMULA


def download(
    kind: str, name: str, plain: str, sheets: Sequence[Sheet], at_end: Callable[[bool], object] = bool
) -> Response:
    """Response with the file `name`-day, in ASCII `plain`-day; CSV has only the first sheet.

    CSV of more than one BLOCK is streamed; `at_end` is then called with whether all of it was sent. Raises Refused
    when a workbook cannot be made within SECONDS, or the disk for temporary files is full.
    """
    day = clock.today()
    file = f"{name}-{day}.{kind}"
    body = io.BytesIO() if kind == "csv" else to_xlsx(sheets)
    answer = send_file(body, mimetype=TYPES[kind], as_attachment=True, download_name=file)
    if kind == "csv":
        send_in_blocks(answer, to_csv(sheets[0]), at_end)
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(BEGUN, "1", 60, secure=secure, samesite="Lax")  # templates/static/panel/exports.js
    return add_ascii_name(answer, file, f"{plain}-{day}.{kind}")


def send_in_blocks(answer: Response, blocks: Iterator[bytes], at_end: Callable[[bool], object]) -> None:
    """Set the body of `answer` to `blocks`. Two blocks are read now, so that an error in them becomes an error page."""
    blocks = _in_chinese(blocks)
    first, second = next(blocks), next(blocks, None)
    answer.direct_passthrough = False
    if second is None:
        answer.data = first
        return
    answer.response = stream_with_context(_report_end(chain((first, second), blocks), at_end))
    answer.headers.pop("Content-Length", None)


def _report_end(blocks: Iterator[bytes], at_end: Callable[[bool], object]) -> Iterator[bytes]:
    """The same blocks; calls `at_end` with whether all were taken: False after an error, or when the client is gone."""
    is_whole = False
    try:
        yield from blocks
        is_whole = True
    finally:
        at_end(is_whole)


def _in_chinese(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, each generated in Chinese, because other programs read the file."""
    while True:
        with in_chinese():
            block = next(blocks, None)
        if block is None:
            return
        yield block


def to_csv(sheet: Sheet) -> Iterator[bytes]:
    """Blocks of about BLOCK bytes: UTF-8 with a byte order mark, without which Excel assumes GBK."""
    out = io.StringIO("\ufeff")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    for line in chain([[column.label for column in sheet.columns]], sheet.lines()):
        writer.writerow(line)
        if out.tell() >= BLOCK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def to_xlsx(sheets: Sequence[Sheet]) -> IO[bytes]:
    """A workbook: headings bold, frozen and with filters; dates and numbers typed, everything else text.

    Returns a temporary file, positioned at its beginning. Raises Refused as download().
    """
    from xlsxwriter.exceptions import FileCreateError

    out = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
    try:
        _make(out, sheets, monotonic() + SECONDS)
    except (OSError, FileCreateError):
        current_app.logger.exception("no room for the temporary file of an export")
        out.close()
        raise Refused(_l("服务器的临时空间不足，没有导出，请稍后再试；如仍未解决，请联系系统管理员。")) from None
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return out


def _make(out: IO[bytes], sheets: Sequence[Sheet], deadline: float) -> None:
    """Write the workbook; each row is flushed to disk before the next. Raises Refused after `deadline` (monotonic)."""
    from xlsxwriter import Workbook  # imported here: few processes make a workbook

    with tempfile.TemporaryDirectory() as folder:  # an unfinished xlsxwriter leaves its files behind
        book = Workbook(out, {"constant_memory": True, "tmpdir": folder})
        heading, text = book.add_format({"bold": True, "num_format": "@"}), book.add_format({"num_format": "@"})
        day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            _write(page, sheet, heading, {str: text, date: day, datetime: moment}, deadline)
        book.close()


def _write(page: "Worksheet", sheet: Sheet, heading: "Format", formats: "dict[type, Format]", deadline: float) -> None:
    """Write one table into a worksheet; `formats`: type of value → format."""
    labels = [column.label for column in sheet.columns]
    widths = [_width(label) for label in labels]
    page.write_row(0, 0, labels, heading)
    last = 0
    for last, line in enumerate(sheet.lines(), start=1):
        if monotonic() > deadline:
            raise Refused(_l("生成 Excel 文件用时过长，没有导出，请缩小查询范围，或改为导出 CSV。"))
        for column, value in enumerate(line):
            _write_cell(page, last, column, value, formats.get(type(value)))
        if last <= MEASURED:
            widths = [max(widest, _width(value)) for widest, value in zip(widths, line, strict=True)]
    for column, width in enumerate(widths):
        page.set_column(column, column, min(max(width + 2, NARROWEST), WIDEST))
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, last - bool(sheet.note()), len(labels) - 1)


def _write_cell(page: "Worksheet", row: int, column: int, value: Any, form: "Format | None") -> None:
    """Write one cell. Text stays text, also when edited in Excel and if it looks like 8523499030, #N/A or =1+1."""
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
