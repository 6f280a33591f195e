"""The columns of a block of cells: which holds which field of 载体信息, by its heading or by its place."""

from collections import Counter

from flask_babel import gettext as _

from models.application.carriers import Carrier
from models.codes.headings import heading_of
from models.columns import written
from models.files.table_file import FORMULA
from models.language import in_each_language, listed
from models.text import is_blank
from models.workflow import Refused

FIELDS = written(Carrier)
PLACES = ("序号", "行号", "编号", "no", "no.")  # headings of a column that counts the rows
HEADING_WITHIN = 30  # rows: a title, a date or an author may stand above the heading
MOST_NAMED = 10  # columns or rows named in one sentence


def columns_of(rows: list[list[str]], start: str) -> tuple[dict[int, str], int, list[str]]:
    """({place: field, "" for row numbers}, index of the first row below the headings, notes)."""
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
    return found, index + 1, notes


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
    width = max(len(row) for row in rows)
    counted = start in ("", FIELDS[0]) and min(len(rows), width) > 1 and [row[0].strip() for row in rows] == numbers
    fields = FIELDS[FIELDS.index(start) if start in FIELDS else 0 :]
    columns = dict(zip(range(counted, width), fields, strict=False))
    labels = listed(Carrier.__table__.columns[name].info["label"] for name in columns.values())
    notes = [_("没有标题行，各列依次读作：%(labels)s。请核对。", labels=labels)] if len(columns) > 1 else []
    if counted:
        return {0: "", **columns}, 0, [*notes, _("第一列是序号，没有读入。")]
    return columns, 0, notes


def unread(found: dict[int, str], headings: list[str], body: list[list[str]]) -> list[str]:
    """[the note about columns that have values and are ignored]; [] without any."""
    left = []
    for at in range(max(map(len, body))):
        if at not in found and any(at < len(row) and not is_blank(row[at]) for row in body):
            heading = headings[at].strip() if at < len(headings) else ""
            left.append(heading[:20] or _("第 %(place)s 列", place=at + 1))
    return [_("没有读入的列：%(names)s。", names=_shortened(left))] if left else []


def _known() -> dict[str, str]:
    """Heading as heading_of() writes it, in either language → field; PLACES → ""."""
    known = {heading_of(name): "" for name in PLACES}
    for name in FIELDS:
        info = Carrier.__table__.columns[name].info
        known |= {heading_of(each): name for each in (*in_each_language(info["label"]), *info.get("headings", ()))}
    return known


def _shortened(items: list[str]) -> str:
    names = listed(item.replace(FORMULA, "") for item in items[:MOST_NAMED])
    return names + (_(" 等") if len(items) > MOST_NAMED else "")
