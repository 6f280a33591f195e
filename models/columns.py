"""Checks of the rules in a column's `info`: `required`, and for dates `earliest` and `latest`."""

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _

from models.database import Base
from models.text import Unreadable, check_day, is_blank


def empty_columns(row: Base) -> Iterator[Any]:
    """The required columns of `row` that are None or blank."""
    for column in row.__table__.columns:
        if column.info.get("required"):
            value = getattr(row, column.key)
            if value is None or (isinstance(value, str) and is_blank(value)):
                yield column


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
