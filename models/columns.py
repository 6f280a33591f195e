"""What a column's `info` says of its field: the one place from which form, details, export and certificate follow.

Keys, all optional: `label`; `by`, "applicant" or "system", who fills it (none: it is in no form and no details);
`granted`, whether it is frozen into the certificate and told to customs; `required` to submit; `codes`, its code list;
`read`, which makes a value of typed text; `hint`; `most`, characters of a text without length; `earliest` and `latest`,
bounds of a day as distances from today. Form, details, export, certificate and message have the order of the columns.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from flask_babel import gettext as _

from models.codes import label_of
from models.database import Base
from models.text import Unreadable, check_day, is_blank


def by_applicant(label: Any, granted: bool = True, **rules: Any) -> dict[str, Any]:
    """`info` of a column that the applicant fills."""
    return {"label": label, "by": "applicant", "granted": granted, **rules}


def by_system(label: Any) -> dict[str, Any]:
    """`info` of a column that the system fills: grey in the form (手册 第一章: 置灰字段), always on the certificate."""
    return {"label": label, "by": "system", "granted": True}


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
