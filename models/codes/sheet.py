"""Read the cells of a CSV or XLSX file as text, never more than the limits below."""

import csv
import io
import zipfile
from collections.abc import Iterator
from itertools import islice

from flask_babel import gettext as _

from models.workflow import Refused

MOST_ROWS, MOST_COLUMNS = 20_000, 50
MOST_UNPACKED = 12 << 20  # bytes of all parts of an XLSX file: 20,000 rows of ten columns take 9 MB
OLD_EXCEL = b"\xd0\xcf\x11\xe0"  # .xls, or a workbook with a password


def read_sheet(content: bytes) -> list[list[str]]:
    """The rows, each a list of cells, an empty cell ""; of a workbook, the sheet that was active when it was saved.

    Raises Refused when the file cannot be read or exceeds the limits.
    """
    if content.startswith(OLD_EXCEL):
        raise Refused(_("无法读取该文件：它是旧版 Excel（.xls）或设有密码，请另存为不加密的 XLSX 或 CSV 后再上传。"))
    try:
        rows = list(islice(_xlsx(content) if content.startswith(b"PK\x03\x04") else read_csv(content), MOST_ROWS + 1))
    except Refused:
        raise
    except Exception as broken:  # parsers raise errors of every kind on malformed files
        raise Refused(_("无法读取该文件，请使用 CSV 或 XLSX 格式。")) from broken
    if len(rows) > MOST_ROWS:
        raise Refused(_("表格超过 %(most)s 行，请删去多余的行（包括空行）后再上传。", most=MOST_ROWS))
    return rows


def _xlsx(content: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook  # imported here: with numpy it takes 30 MB, and few processes read a workbook

    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:  # zipfile unpacks no more than file_size
            raise Refused(_("工作簿内容过多，请只保留关区代码表所在的工作表（不超过 %(most)s 行）。", most=MOST_ROWS))
    sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True).active
    sheet.reset_dimensions()  # some programs write A1 as the dimensions of every sheet
    for row in sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True):
        yield [_as_text(value) for value in row]


def _as_text(value: object) -> str:
    """A cell as text: 100.0 as 100, an error (#N/A) as ""."""
    if value is None or (isinstance(value, str) and value.startswith("#")):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read_csv(content: bytes) -> Iterator[list[str]]:
    """The rows; the separator is the one most frequent in the first line. Raises UnicodeDecodeError, csv.Error."""
    text = decoded(content)
    separator = max(",\t;", key=text.partition("\n")[0].count)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        yield row[:MOST_COLUMNS]


def decoded(content: bytes) -> str:
    """Text in UTF-8, UTF-16 with BOM («Unicode text» of Excel and WPS), or GB 18030 (CSV of Excel in China)."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")
