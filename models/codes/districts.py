"""Import of customs districts: read them from the rows of a sheet, compare with the current table, replace it."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.codes import District
from models.codes.headings import HEADING_WITHIN, Rows, heading_of, position, shortened
from models.database import NO_SYNC
from models.text import clean_text, fold_width, without_format_characters
from models.workflow import Refused

CODE_HEADINGS = ("关区代码", "海关代码", "口岸代码", "关区编码", "代码", "编码", "customscode", "districtcode", "code")
NAME_HEADINGS = ("关区名称", "海关名称", "口岸名称", "名称", "customsname", "districtname", "name")
LONGEST_NAME = 50


@dataclass
class Table:
    """The districts of a file: code → name; `notes` on how it was read; `doubts` that the operator must confirm."""

    names: dict[str, str]
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """The effect of a new table on the current one: code → name; `renamed`: code → (current name, new name)."""

    added: dict[str, str]
    renamed: dict[str, tuple[str, str]]
    ended: dict[str, str]
    before: int  # number of districts in force before the import

    @property
    def is_any(self) -> bool:
        """Whether anything would change."""
        return bool(self.added or self.renamed or self.ended)


def table_of(rows: Rows) -> Table:
    """The districts in the rows of a sheet. Raises Refused with a sentence that says what to correct."""
    columns, first, notes = _columns(rows)
    pairs, skipped = [], []
    for number, row in enumerate(rows[first:], start=first + 1):
        code, name = (row[column] if column < len(row) else "" for column in columns)
        code, name = _padded_code(code), clean_text(name) or ""
        if any(character.isnumeric() and not character.isalpha() for character in code):
            pairs.append((number, code, name))
        elif code or name:  # not a district: 合计, 备注
            skipped.append(_("第 %(number)s 行“%(name)s”", number=number, name=(code or name)[:20]))
    if skipped:
        notes.append(_("有 %(count)s 行没有代码，已略过：%(rows)s。", count=len(skipped), rows=shortened(skipped)))
    _check(pairs)
    names = {code: name for _number, code, name in pairs}
    return Table(names, notes, _doubts(Counter(code for _number, code, _name in pairs), names))


def _columns(rows: Rows) -> tuple[tuple[int, int], int, list[str]]:
    """((column of codes, column of names), index of the first data row, notes). Raises Refused when there is none."""
    for index, row in enumerate(rows[:HEADING_WITHIN]):
        headings = [heading_of(cell) for cell in row]
        code, name = position(headings, CODE_HEADINGS), position(headings, NAME_HEADINGS)
        if code is not None and name is not None:
            return (code, name), index + 1, []
    filled = [[cell for cell in row if cell.strip()] for row in rows]
    plain = [row for row in filled if row]
    if plain and all(
        len(row) == 2 and re.fullmatch(r"\d{3,4}", row[0].strip()) and not row[1].strip().isdigit() for row in plain
    ):
        column = next(index for index, cell in enumerate(rows[filled.index(plain[0])]) if cell.strip())
        return (column, column + 1), 0, [_("没有标题行，已将第一列读作代码、第二列读作名称。")]
    if not plain:
        raise Refused(_("文件中没有数据，请核对后重新选择文件。"))
    raise Refused(
        _("没有找到标题行。请在表格中写明“关区代码”和“关区名称”两列的标题（也可写作“代码”和“名称”），再重新上传。")
    )


def _padded_code(cell: str) -> str:
    """A code as four digits: Excel drops the leading zeros of 0100 and writes 100 or 100.0."""
    code = fold_width(without_format_characters(cell)).strip().removesuffix(".0").lstrip("'")
    return code.zfill(4) if code.isascii() and code.isdigit() else code


def _check(pairs: list[tuple[int, str, str]]) -> None:
    """Raises Refused unless every (row number, code, name) has a code of four digits and a name that fits."""
    if not pairs:
        raise Refused(_("文件中没有数据，请核对后重新选择文件。"))
    wrong = [
        _("第 %(number)s 行 %(code)s", number=number, code=code[:20])
        for number, code, name in pairs
        if not re.fullmatch("[0-9]{4}", code) or not 0 < len(name) <= LONGEST_NAME
    ]
    if wrong:
        raise Refused(_("关区代码须为四位数字并带名称（不超过 50 字），有误的行：%(rows)s。", rows=shortened(wrong)))


def _with(code: str, name: str) -> str:
    return _("%(code)s（%(name)s）", code=code, name=name)


def _doubts(counted: Counter[str], names: dict[str, str]) -> list[str]:
    """Sentences on names that are only digits, and on codes that occur more than once (`counted`: code → rows)."""
    doubts = []
    if numeric := [_with(code, name) for code, name in names.items() if re.fullmatch(r"[\d\s.,/-]+", name)]:
        doubts.append(
            _("有 %(count)s 个名称只有数字，可能读错了列：%(rows)s。", count=len(numeric), rows=shortened(numeric))
        )
    if doubled := [_with(code, names[code]) for code, times in counted.items() if times > 1]:
        doubts.append(
            _("有 %(count)s 个代码重复，采用各自最后一行：%(rows)s。", count=len(doubled), rows=shortened(doubled))
        )
    return doubts


def compare(session: Session, names: dict[str, str]) -> Change:
    """The effect that a new table (code → name) would have; reads only."""
    rows = session.execute(select(District.code, District.name).where(~District.ended).order_by(District.code))
    current = dict(rows.all())
    return Change(
        added={code: name for code, name in names.items() if code not in current},
        renamed={code: (current[code], name) for code, name in names.items() if current.get(code, name) != name},
        ended={code: name for code, name in current.items() if code not in names},
        before=len(current),
    )


def fingerprint(session: Session) -> str:
    """SHA-256 of the whole current table, in hex, to detect changes between preview and import."""
    rows = session.execute(select(District.code, District.name, District.ended).order_by(District.code)).all()
    return hashlib.sha256(json.dumps([list(row) for row in rows]).encode()).hexdigest()


def import_districts(session: Session, names: dict[str, str], previewed: str) -> Change:
    """Replace the current table by a new one (code → name); districts missing from it are marked as ended.

    Raises Refused unless the table's fingerprint is still that of the preview, `previewed`. The caller commits.
    """
    lock = update(District).values(ended=District.ended)
    session.execute(lock, **NO_SYNC)  # lock first: of two concurrent imports, the second sees the result of the first
    session.expire_all()
    if fingerprint(session) != previewed:
        raise Refused(_("关区代码表在预览之后已被改动，没有导入。请重新上传文件并核对。"))
    change = compare(session, names)
    known = set()
    for district in session.scalars(select(District)):
        known.add(district.code)
        district.ended = district.code not in names
        district.name = names.get(district.code, district.name)
    session.add_all(District(code=code, name=name) for code, name in names.items() if code not in known)
    session.flush()
    return change
