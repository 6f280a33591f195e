"""The dimensions of a count, and its period: whole days of Beijing time, cut into months or quarters."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Date, case, literal_column, null

from models.clock import SHANGHAI
from models.vocabulary import Word


class Dimension(Word):
    """What each row of the table stands for."""

    PROVINCE = "province", _l("省份")
    MONTH = "month", _l("月份")
    QUARTER = "quarter", _l("季度")
    PUBLISHER = "publisher", _l("出版单位")
    KIND = "kind", _l("载体类型")
    COUNTRY = "country", _l("国别（地区）")


MONTHS = {Dimension.MONTH: 1, Dimension.QUARTER: 3}


@dataclass(frozen=True)
class Period:
    """From `since` to `until`; both days count."""

    since: date
    until: date

    def starts(self, dimension: Dimension | None) -> list[date]:
        """The first day of each month or quarter that the period touches; [] for other dimensions."""
        length = MONTHS.get(dimension) if dimension else None
        if length is None:
            return []
        starts = [first_of(self.since, length)]
        while (following := next_start(starts[-1], length)) <= self.until:
            starts.append(following)
        return starts

    def within(self, start: date, dimension: Dimension) -> "Period":
        """The part of the month or quarter from `start` that lies in this period."""
        last = next_start(start, MONTHS[dimension]) - timedelta(days=1)
        return Period(max(self.since, start), min(self.until, last))


def first_of(day: date, months: int) -> date:
    """The first day of its month (1), quarter (3) or year (12)."""
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def next_start(start: date, months: int) -> date:
    """The first day of the next one."""
    later = start.month - 1 + months
    return date(start.year + later // 12, later % 12 + 1, 1)


def whole(day: date, months: int) -> Period:
    """The month (1), quarter (3) or year (12) of a day."""
    start = first_of(day, months)
    return Period(start, next_start(start, months) - timedelta(days=1))


def start_of(day: date, column: Any) -> date | datetime:
    """Where a day begins, as the type of `column` has it: itself, or midnight in Beijing."""
    return day if isinstance(column.type, Date) else datetime.combine(day, time.min, SHANGHAI)


def in_period(column: Any, since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    """Conditions: from the first to the last day, both included; None: open."""
    conditions = [column >= start_of(since, column)] if since else []
    return [*conditions, column < start_of(until + timedelta(days=1), column)] if until else conditions


def bucket(column: Any, starts: list[date]) -> ColumnElement[Any]:
    """The number of the month or quarter, from 0; NULL without any.

    Compared with boundaries, for SQLite and PostgreSQL have no function in common that knows Beijing time.
    """
    if not starts:
        return null()
    numbers: list[ColumnElement[Any]] = [literal_column(str(number)) for number in range(len(starts))]
    bounds = [start_of(start, column) for start in starts[1:]]
    whens = [(column < bound, number) for bound, number in zip(bounds, numbers, strict=False)]
    return case(*whens, else_=numbers[-1]) if whens else numbers[0]
