"""Finds the heading row of a sheet and its columns, by any known spelling."""

import re
from typing import Any

from flask_babel import gettext as _

from models.language import listed
from models.text import fold_width, without_format_characters
from models.workflow import Refused

HEADING_WITHIN = 30  # rows: a title, a date or an author may stand above the heading
MOST_LISTED = 10  # items quoted in one sentence

Rows = list[list[str]]


def columns_of(rows: Rows, wanted: dict[Any, tuple[str, ...]]) -> tuple[list[int], int]:
    """(column of each wanted heading, index of the first row below). `wanted`: heading → its known spellings.

    Raises Refused when no row has them all.
    """
    for index, row in enumerate(rows[:HEADING_WITHIN]):
        headings = [heading_of(cell) for cell in row]
        columns = [position(headings, known) for known in wanted.values()]
        found = [column for column in columns if column is not None]
        if len(found) == len(wanted):
            return found, index + 1
    if not any(cell.strip() for row in rows for cell in row):
        raise Refused(_("文件中没有数据，请核对后重新选择文件。"))
    names = listed(f"“{name}”" for name in wanted)
    raise Refused(_("没有找到标题行。请在表格中写明%(names)s各列的标题，再重新上传。", names=names))


def heading_of(cell: str) -> str:
    """A heading without blanks, punctuation and bracketed text: «关区代码 (4位)*» is 关区代码."""
    return re.sub(r"\(.*?\)|[\W_]", "", fold_width(without_format_characters(cell))).casefold()


def position(headings: list[str], known: tuple[str, ...]) -> int | None:
    """Index of the column with the first of the `known` headings, or None; raises Refused when two columns have it."""
    for heading in known:
        if headings.count(heading) > 1:
            raise Refused(_("有两列的标题都是“%(heading)s”，请只保留一列后重新上传。", heading=heading))
        if heading in headings:
            return headings.index(heading)
    return None


def shortened(items: list[str]) -> str:
    """The first MOST_LISTED items, joined; with 等 when there are more."""
    return listed(items[:MOST_LISTED]) + (_(" 等") if len(items) > MOST_LISTED else "")
