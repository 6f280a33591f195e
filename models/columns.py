"""Column metadata (`Column.info`), from which form, details, export, certificate and customs message are derived.

Keys, all optional: `label`; `by`: who fills it, "applicant" or "system" (absent: not in form and details); `granted`:
part of the certificate's snapshot and of the customs message; `paper`: position on the certificate, (part, line,
place in the line), () for a fixed place in the template, absent for a new line after the previous column; `headings`:
other headings of the column in spreadsheets; `required` to submit; `codes`: its code list; `read`: parser of typed
text; `hint`; `most`: characters of a text without length; `earliest` and `latest`: bounds of a day, as distances from
today.
Form, details, export and message have the order of the columns.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import JSON, Dialect, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, object_session
from sqlalchemy.types import TypeDecorator

from models.codes import code_of, label_of
from models.database import Base, Exact
from models.language import listed
from models.text import Unreadable, check_amount, check_day, check_length, clean_text, is_blank, parse_decimal
from models.vocabulary import Part, Word, WordColumn

Place = tuple[Part, int, int] | tuple[()]
Line = tuple[str, ...]  # columns side by side
W = TypeVar("W", bound=Word)
# JSON of PostgreSQL has no equality, which the triggers that lock applications need.
ComparedJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class WordSet(TypeDecorator[frozenset[W]]):
    """A column for some words of a vocabulary, stored with a blank around each: « publisher reviewer »."""

    impl = String(200)
    cache_ok = True

    def __init__(self, words: type[W]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Iterable[W] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return f" {' '.join(word.value for word in self.words if word in set(value))} "

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[W] | None:
        return None if value is None else frozenset(self.words(word) for word in value.split())


def labels_in_order(words: type[W], chosen: Iterable[W]) -> str:
    """出版单位、省级审核, in the order of the vocabulary."""
    return listed(word.label for word in words if word in set(chosen))


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
    """The columns in the certificate's snapshot and the customs message."""
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
    """A new line after the last one of the last part."""
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
    """Fields that prevent submission: field → its unreadable text, or "" for a blank required field."""
    return {column.key: "" for column in empty_columns(row)} | (row.unread or {})


def lack(table: type[Base], name: str, text: str) -> str:
    """The sentence about one wrong cell; `text` as in wrong_cells()."""
    label = table.__table__.columns[name].info["label"]
    if not text:
        return _("请填写%(label)s。", label=str(label).rstrip("."))
    return _("%(label)s“%(text)s”填写有误，请改正。", label=label, text=text if len(text) < 21 else text[:20] + "…")


def read_typed(column: Any, text: str, session: Session | None = None) -> Any:
    """What `text` means in a column of codes, numbers or text; None for a blank. Raises Refused with the sentence.

    Codes of customs districts take a `session`.
    """
    if is_blank(text):
        return None
    if "codes" in column.info:
        return code_of(column.info["codes"], text, session)
    if isinstance(column.type, Exact):
        number = parse_decimal(text)
        check_amount(number)
        return number
    value = column.info.get("read", clean_text)(text)
    check_length(value, column.info.get("most", column.type.length))
    return value


def readable(value: Any, column: Any = None, session: Session | None = None) -> Any:
    """A value of `column` as people read it: a code with its name, a word by its label, yes and no; None for nothing.

    Numbers, dates and other text stay as they are: screen, spreadsheet and paper each write them in their own way.
    Words may be given as text, as the trail and a form have them. Without a `session` the code of a customs district
    stays without its name, which is in the database.
    """
    if value in (None, ""):
        return None
    if column is not None and "codes" in column.info:
        return label_of(column.info["codes"], value, session)
    if column is not None and isinstance(column.type, WordColumn):
        value = next((word for word in column.type.words if word == value), value)
    if isinstance(value, Word):
        return str(value.label)
    if isinstance(value, bool):
        return _("是") if value else _("否")
    return value


def shown(row: Base, name: str) -> Any:
    """The value of this column of `row`, readable. Raises TypeError for a customs district without a session."""
    value, column, session = getattr(row, name), row.__table__.columns[name], object_session(row)
    if value and session is None and column.info.get("codes") == "district":
        raise TypeError(f"{name}: the name of a customs district is read with the session of the row")
    return readable(value, column, session)


def days_out_of_range(row: Base) -> dict[str, str]:
    """Dates of `row` outside their bounds: column name → sentence."""
    found = {}
    for column in row.__table__.columns:
        if "earliest" in column.info and (day := getattr(row, column.key)):
            try:
                check_day(day, column.info["earliest"], column.info["latest"])
            except Unreadable as why:
                found[column.key] = _("%(label)s：%(sentence)s", label=column.info["label"], sentence=why)
    return found
