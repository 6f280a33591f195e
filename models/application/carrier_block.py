"""A block of cells, pasted or out of a file, as rows of 载体信息: which column is which, what is wrong in each cell.

Knows no session: the same block always reads the same. The rules of a cell are those of its column (models/columns.py).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from flask_babel import gettext as _

from models.application import MOST_CARRIERS
from models.application.carrier_columns import columns_of, unread
from models.application.carriers import Carrier
from models.codes import label_of
from models.columns import lack, read_typed
from models.database import Exact
from models.files.table_file import FORMULA, MOST_COLUMNS, MOST_ROWS
from models.text import is_blank
from models.workflow import Refused

CELL = re.compile(r'"((?:[^"]|"")*+)"(?=[\t\n]|\Z)|([^\t\n]*)')
ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)")  # of Excel and WPS
TOTAL = re.compile(r"\s*(?:合\s*计|小\s*计|总\s*计|共\s*计)\s*[:：]?\s*")


@dataclass
class Row:
    """One row: field → text for the form (a code with its name); `errors`: field → sentence; `carried`: from above.

    `place`: how many rows below the first one it stands, blank ones included.
    """

    texts: dict[str, str]
    place: int
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    carried: set[str] = field(default_factory=set)


@dataclass
class Block:
    """`fields`: those in the block, in its order; `gaps`: field → blanks under a filled cell, perhaps merged cells."""

    fields: list[str]
    rows: list[Row]
    notes: list[str]
    gaps: dict[str, int]

    @property
    def wrong(self) -> int:
        """How many cells have to be corrected."""
        return sum(len(row.errors) for row in self.rows)


def cells_of(text: str) -> list[list[str]]:
    """The rows of a block as Excel and WPS copy it: tabs, line ends, cells in quotation marks that hold either."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_size(text.count("\n"), text.count("\t") // (MOST_ROWS * MOST_COLUMNS))
    rows, row, at = list[list[str]](), list[str](), 0
    while at <= len(text):
        found = CELL.match(text, at)
        assert found is not None
        row.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        at = found.end() + 1
        if text[found.end() : at] != "\t":
            rows.append(row)
            row = []
    return rows


def read_block(cells: Sequence[Sequence[str]], start: str = "", carry: Collection[str] = ()) -> Block:
    """The rows of 载体信息 in a block; raises Refused when none can be found, or there are too many.

    Without a row of headings the columns are those of the form from `start` on. `carry`: fields in which a blank
    repeats the cell above (merged cells); nothing is repeated unasked.
    """
    _check_size(len(cells), max((len("".join(row[MOST_COLUMNS:]).strip()) for row in cells), default=0))
    lines = [list(row[:MOST_COLUMNS]) for row in cells]
    filled = [at for at, line in enumerate(lines) if not all(map(is_blank, line))]
    if not filled:
        raise Refused(_("没有可填入的内容，请核对后重新复制或选择文件。"))
    found, first, notes = columns_of([lines[at] for at in filled], start)
    body = [at for at in filled[first:] if not _only_numbered(lines[at], found)]
    _check_count(len(body))
    notes += _left_out(filled, len(filled) - first - len(body))
    notes += unread(found, lines[filled[first - 1]] if first else [], [lines[at] for at in body])
    columns = {at: name for at, name in found.items() if name}
    notes += _broken_lines(columns, [lines[at] for at in body])
    above = filled[first - 1] + 1 if first else 0
    return _block(columns, {at - above: lines[at] for at in body}, notes, carry)


def _block(columns: dict[int, str], body: dict[int, list[str]], notes: list[str], carry: Collection[str]) -> Block:
    """`body`: place → cells of each row."""
    fields = list(columns.values())
    rows = [
        Row({name: _line(cells[at]) if at < len(cells) else "" for at, name in columns.items()}, place)
        for place, cells in body.items()
    ]
    gaps = _gaps([row.texts for row in rows], fields)
    _judge(_carried(rows, carry), fields)
    for row, cells in zip(rows, body.values(), strict=True):
        if any(map(TOTAL.fullmatch, cells)):
            row.errors[next(iter(row.texts))] = _("像是合计行，不是载体，请删去这一行。")
    return Block(fields, rows, notes, gaps)


def _only_numbered(line: list[str], found: dict[int, str]) -> bool:
    """Whether nothing but a row number is filled in: a form whose rows were numbered beforehand ends with such rows."""
    return all(is_blank(cell) or found.get(at) == "" for at, cell in enumerate(line))


def _check_size(rows: int, wider: int) -> None:
    """Raises Refused for more rows, or anything beyond more columns (`wider`), than a file may have."""
    if rows > MOST_ROWS:
        raise Refused(_("内容超过 %(most)s 行，请删去多余的行（包括空行）后重新复制。", most=MOST_ROWS))
    if wider:
        raise Refused(_("内容超过 %(most)s 列，请只复制载体信息的各列。", most=MOST_COLUMNS))


def _check_count(rows: int) -> None:
    """Raises Refused for no rows of carriers, or more than an application may have."""
    if rows > MOST_CARRIERS:
        sentence = _("共有 %(count)s 行，一份申请最多录入 %(most)s 条载体信息，没有填入。请分成几份申请。")
        raise Refused(sentence % {"count": rows, "most": MOST_CARRIERS})
    if not rows:
        raise Refused(_("只有标题行，没有载体信息，请核对后重新复制或选择文件。"))


def _left_out(filled: list[int], numbered: int) -> list[str]:
    """Notes about rows left out: blank ones between others, and `numbered` ones that hold only their number."""
    blank = filled[-1] - filled[0] + 1 - len(filled)
    return [
        *([_("略过了 %(count)s 个空行。", count=blank)] if blank else []),
        *([_("略过了 %(count)s 个只有序号的行。", count=numbered)] if numbered else []),
    ]


def _broken_lines(columns: dict[int, str], body: list[list[str]]) -> list[str]:
    count = sum("\n" in row[at].strip() for row in body for at in columns if at < len(row))
    return [_("有 %(count)s 个单元格内有换行，已改为空格。", count=count)] if count else []


def _line(cell: str) -> str:
    return re.sub(r"[\t\r\n]+", " ", cell.strip())


def _gaps(lines: list[dict[str, str]], fields: list[str]) -> dict[str, int]:
    """Field → number of blanks under a filled cell (merged cells?); not for numbers, which are never repeated."""
    found = {}
    for name in fields:
        if isinstance(Carrier.__table__.columns[name].type, Exact):
            continue
        filled = [not is_blank(line[name]) for line in lines]
        if True in filled and (blanks := filled[filled.index(True) :].count(False)):
            found[name] = blanks
    return found


def _carried(rows: list[Row], carry: Collection[str]) -> list[Row]:
    for above, row in pairwise(rows):
        for name in carry:
            if name in row.texts and is_blank(row.texts[name]) and not is_blank(above.texts[name]):
                row.texts[name] = above.texts[name]
                row.carried.add(name)
    return rows


def _judge(rows: list[Row], fields: list[str]) -> None:
    """Read every cell into a value or an error."""
    columns = Carrier.__table__.columns
    read: dict[tuple[str, str], tuple[str, Any, str]] = {}  # cache: the same text in the same column reads the same
    for row in rows:
        for name in fields:
            key = name, row.texts[name]
            if key not in read:
                read[key] = _reading(columns[name], row.texts[name])
            row.texts[name], row.values[name], sentence = read[key]
            if sentence:
                row.errors[name] = sentence


def _reading(column: Any, text: str) -> tuple[str, Any, str]:
    """(text for the form, value, sentence or "")."""
    if ERROR.fullmatch(text):
        return text, None, _("单元格是公式错误 %(error)s，请填写正确的内容。", error=text)
    if text.startswith(FORMULA):
        return text.lstrip(FORMULA), None, _("单元格是公式，没有计算结果，请填写结果。")
    try:
        value = read_typed(column, text)
    except Refused as refused:
        return text, None, str(refused)
    if value is None and column.info.get("required"):
        return "", None, lack(Carrier, column.key, "")
    if value is not None and "codes" in column.info:
        return label_of(column.info["codes"], value), value, ""
    return text, value, ""
