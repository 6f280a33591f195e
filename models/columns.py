"""What a column's `info` says of its field: the one place from which form, details, export and certificate follow.

Keys, all optional: `label`; `by`, "applicant" or "system", who fills it (none: it is in no form and no details);
`granted`, whether it is frozen into the certificate and told to customs; `paper`, where the certificate shows it:
(part, line, place in the line), () for a place of its own there, absent for a line after the column before it;
`required` to submit; `codes`, its code list; `read`, which makes a value of typed text; `hint`; `most`, characters of a
text without length; `earliest` and `latest`, bounds of a day as distances from today.
Form, details, export and message have the order of the columns.
"""

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any

from flask_babel import gettext as _

from models.codes import label_of
from models.database import Base
from models.text import Unreadable, check_day, is_blank
from models.vocabulary import Part

Place = tuple[Part, int, int] | tuple[()]
Line = tuple[str, ...]  # columns that stand side by side


def by_applicant(label: Any, granted: bool = True, **rules: Any) -> dict[str, Any]:
    """`info` of a column that the applicant fills."""
    return {"label": label, "by": "applicant", "granted": granted, **rules}


def by_system(label: Any, paper: Place = ()) -> dict[str, Any]:
    """`info` of a column that the system fills: grey in the form (手册 第一章: 置灰字段), always on the certificate."""
    return {"label": label, "by": "system", "granted": True, "paper": paper}


@cache
def written(table: type[Base]) -> tuple[str, ...]:
    """The columns that the applicant fills."""
    return tuple(column.key for column in table.__table__.columns if column.info.get("by") == "applicant")


@cache
def displayed(table: type[Base]) -> tuple[str, ...]:
    """The columns of details and exports."""
    return tuple(column.key for column in table.__table__.columns if column.info.get("by"))


@cache
def granted(table: type[Base]) -> tuple[str, ...]:
    """The columns frozen into the certificate, and told to customs."""
    return tuple(column.key for column in table.__table__.columns if column.info.get("granted"))


@cache
def paper_parts(table: type[Base]) -> tuple[tuple[Part, tuple[Line, ...]], ...]:
    """The form on the certificate: each part with its lines, in the order of their first columns."""
    parts: dict[Part, list[tuple[int, int, str]]] = {}
    for column in table.__table__.columns:
        place = column.info.get("paper") if "paper" in column.info else _after(parts)
        if column.info.get("granted") and place:
            part, line, at = place
            parts.setdefault(part, []).append((line, at, column.key))
    return tuple((part, tuple(map(tuple, _lines(places)))) for part, places in parts.items())


def _after(parts: dict[Part, list[tuple[int, int, str]]]) -> tuple[Part, int, int]:
    """A line of its own, after the last one of the last part so far."""
    part = next(reversed(parts), Part.PARTIES)
    return part, max((line for line, _at, _key in parts.get(part, ())), default=0) + 1, 1


def _lines(places: list[tuple[int, int, str]]) -> Iterator[list[str]]:
    for _line, found in groupby(sorted(places), key=lambda place: place[0]):
        yield [key for _same_line, _at, key in found]


def empty_columns(row: Base) -> Iterator[Any]:
    """The required columns of `row` that are None or blank."""
    for column in row.__table__.columns:
        if column.info.get("required"):
            value = getattr(row, column.key)
            if value is None or (isinstance(value, str) and is_blank(value)):
                yield column


def wrong_cells(row: Any) -> dict[str, str]:
    """What keeps `row` from being submitted: field → the text typed into it that cannot be read, "" for a blank."""
    return {column.key: "" for column in empty_columns(row)} | (row.unread or {})


def lack(table: type[Base], name: str, text: str) -> str:
    """The sentence about one wrong cell; `text` as in wrong_cells()."""
    label = table.__table__.columns[name].info["label"]
    if not text:
        return _("请填写%(label)s。", label=label)
    return _("%(label)s“%(text)s”填写有误，请改正。", label=label, text=text if len(text) < 21 else text[:20] + "…")


def shown(row: Base, name: str) -> Any:
    """A field as people read it: a code with its name, a word by its label; None for nothing."""
    column = row.__table__.columns[name]
    value = getattr(row, name)
    if value in (None, ""):
        return None
    return label_of(column.info["codes"], value) if "codes" in column.info else getattr(value, "label", value)


def days_out_of_range(row: Base) -> dict[str, str]:
    """Dates of `row` outside their bounds: column name → sentence."""
    found = {}
    for column in row.__table__.columns:
        day = getattr(row, column.key)
        if "earliest" in column.info and day:
            try:
                check_day(day, column.info["earliest"], column.info["latest"])
            except Unreadable as why:
                found[column.key] = _("%(label)s：%(sentence)s", label=column.info["label"], sentence=why)
    return found
