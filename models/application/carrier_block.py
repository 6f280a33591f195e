"""A block of cells, pasted or out of a file, as rows of 载体信息: which column is which, what is wrong in each cell.

Knows no session: the same block always reads the same. The rules of a cell are those of its column (models/columns.py).
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from flask_babel import gettext as _

from models.application import MOST_CARRIERS
from models.application.carriers import Carrier
from models.codes import label_of
from models.codes.headings import heading_of
from models.columns import lack, read_typed, written
from models.database import Exact
from models.files.table_file import FORMULA, MOST_COLUMNS, MOST_ROWS
from models.language import in_each_language, listed
from models.text import is_blank
from models.workflow import Refused

FIELDS = written(Carrier)
PLACES = ("序号", "行号", "编号", "no", "no.")  # headings of a column that counts the rows
HEADING_WITHIN = 30  # rows: a title, a date or an author may stand above the heading
MOST_NAMED = 10  # columns or rows named in one sentence
CELL = re.compile(r'"((?:[^"]|"")*+)"(?=[\t\n]|\Z)|([^\t\n]*)')
ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)")  # of Excel and WPS
TOTAL = re.compile(r"\s*(?:合\s*计|小\s*计|总\s*计|共\s*计)\s*[:：]?\s*")


@dataclass
class Row:
    """One row: field → text for the form (a code with its name); `errors`: field → sentence; `carried`: from above."""

    texts: dict[str, str]
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
    filled = [list(row[:MOST_COLUMNS]) for row in cells if not all(map(is_blank, row))]
    if not filled:
        raise Refused(_("没有可填入的内容，请核对后重新复制或选择文件。"))
    columns, first, notes = _columns(filled, start)
    body = filled[first:]
    if len(body) > MOST_CARRIERS:
        sentence = _("共有 %(count)s 行，一份申请最多录入 %(most)s 条载体信息，没有填入。请分成几份申请。")
        raise Refused(sentence % {"count": len(body), "most": MOST_CARRIERS})
    if not body:
        raise Refused(_("只有标题行，没有载体信息，请核对后重新复制或选择文件。"))
    notes += _blank_lines(cells) + _unread(columns, filled[max(first - 1, 0)], body, first > 0)
    notes += _broken_lines(columns, body)
    lines = [{name: _line(row[at]) if at < len(row) else "" for at, name in columns.items()} for row in body]
    gaps = _gaps(lines, list(columns.values()))
    rows = _carried([Row(line) for line in lines], carry)
    _judge(rows, list(columns.values()))
    for row, cells_of_row in zip(rows, body, strict=True):
        if any(map(TOTAL.fullmatch, cells_of_row)):
            row.errors[next(iter(row.texts))] = _("像是合计行，不是载体，请删去这一行。")
    return Block(list(columns.values()), rows, notes, gaps)


def _check_size(rows: int, wider: int) -> None:
    """Raises Refused for more rows, or anything beyond more columns (`wider`), than a file may have."""
    if rows > MOST_ROWS:
        raise Refused(_("内容超过 %(most)s 行，请删去多余的行（包括空行）后重新复制。", most=MOST_ROWS))
    if wider:
        raise Refused(_("内容超过 %(most)s 列，请只复制载体信息的各列。", most=MOST_COLUMNS))


def _known() -> dict[str, str]:
    """Heading as heading_of() writes it, in either language → field; PLACES → ""."""
    known = {heading_of(name): "" for name in PLACES}
    for name in FIELDS:
        info = Carrier.__table__.columns[name].info
        known |= {heading_of(each): name for each in (*in_each_language(info["label"]), *info.get("headings", ()))}
    return known


def _columns(rows: list[list[str]], start: str) -> tuple[dict[int, str], int, list[str]]:
    """({place: field}, index of the first row below the headings, notes)."""
    heading = _heading(rows[:HEADING_WITHIN])
    if heading is None:
        return _by_place(rows, start)
    index, found = heading
    columns = {at: name for at, name in found.items() if name}
    twice = [name for name, times in Counter(columns.values()).items() if times > 1]
    if twice:
        label = Carrier.__table__.columns[twice[0]].info["label"]
        raise Refused(_("有两列的标题都是“%(label)s”，请只保留一列。", label=label))
    if not columns:  # only row numbers
        raise Refused(_("没有可填入的内容，请核对后重新复制或选择文件。"))
    above = [" ".join(cell for cell in each if cell.strip())[:30] for each in rows[:index]]
    notes = [_("标题行以上没有读入：%(rows)s。", rows=_shortened(above))] if above else []
    return columns, index + 1, notes


def _heading(rows: list[list[str]]) -> tuple[int, dict[int, str]] | None:
    """(index, {place: field or ""}) of the row with most known headings, the first of several; None without any.

    Above it may stand a title such as 说明, or 编号 and 单位 of the whole form.
    """
    known, headings = _known(), []
    for index, row in enumerate(rows):
        found = {at: known[key] for at, cell in enumerate(row) if (key := heading_of(cell)) in known}
        if len(found) > 1 or (found and sum(not is_blank(cell) for cell in row) == 1):
            headings.append((index, found))
    return max(headings, key=lambda heading: len(heading[1]), default=None)


def _by_place(rows: list[list[str]], start: str) -> tuple[dict[int, str], int, list[str]]:
    """Columns by their position in the form; a first column of row numbers is left out."""
    numbers = [str(n + 1) for n in range(len(rows))]
    counted = start in ("", FIELDS[0]) and len(rows) > 1 and [row[0].strip() for row in rows] == numbers
    fields = FIELDS[FIELDS.index(start) if start in FIELDS else 0 :]
    width = max(len(row) for row in rows)
    columns = dict(zip(range(counted, width), fields, strict=False))
    labels = listed(Carrier.__table__.columns[name].info["label"] for name in columns.values())
    notes = [_("没有标题行，各列依次读作：%(labels)s。请核对。", labels=labels)] if len(columns) > 1 else []
    return columns, 0, [*notes, *([_("第一列是序号，没有读入。")] if counted else [])]


def _unread(columns: dict[int, str], headings: list[str], body: list[list[str]], named: bool) -> list[str]:
    """[the note about columns that have values and are ignored]; [] without any."""
    left, known = [], _known()
    for at in range(max(map(len, body))):
        heading = headings[at].strip() if named and at < len(headings) else ""
        counts = named and known.get(heading_of(heading)) == ""
        if at not in columns and not counts and any(at < len(row) and not is_blank(row[at]) for row in body):
            left.append(heading[:20] or _("第 %(place)s 列", place=at + 1))
    if not named and left and left[0] == _("第 %(place)s 列", place=1):
        left = left[1:]  # 序号 has its own note
    return [_("没有读入的列：%(names)s。", names=_shortened(left))] if left else []


def _blank_lines(cells: Sequence[Sequence[str]]) -> list[str]:
    """[the note about blank rows between others]; [] without any. Blank rows at the end do not count."""
    filled = [at for at, row in enumerate(cells) if not all(map(is_blank, row))]
    count = filled[-1] - filled[0] + 1 - len(filled)
    return [_("略过了 %(count)s 个空行。", count=count)] if count else []


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


def _shortened(items: list[str]) -> str:
    names = listed(item.replace(FORMULA, "") for item in items[:MOST_NAMED])
    return names + (_(" 等") if len(items) > MOST_NAMED else "")
