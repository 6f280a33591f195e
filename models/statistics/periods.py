"""Dimensions and periods of 统计: days of Beijing time, months, quarters, years, and thirds of months (旬)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Date

from models.clock import SHANGHAI
from models.vocabulary import Word


class Dimension(Word):
    """The dimension by which the rows of the table are grouped."""

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

    def holds(self, day: date) -> bool:
        return self.since <= day <= self.until

    def within(self, start: date, dimension: Dimension) -> "Period":
        """The part of the month or quarter from `start` that lies in this period."""
        last = next_start(start, MONTHS[dimension]) - timedelta(days=1)
        return Period(max(self.since, start), min(self.until, last))


def first_of(day: date, months: int) -> date:
    """The first day of its month (1), quarter (3) or year (12)."""
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def next_start(start: date, months: int) -> date:
    """The first day of the next month (1), quarter (3) or year (12) after the one that begins at `start`."""
    later = start.month - 1 + months
    return date(start.year + later // 12, later % 12 + 1, 1)


def whole(day: date, months: int) -> Period:
    """The month (1), quarter (3) or year (12) of a day."""
    start = first_of(day, months)
    return Period(start, next_start(start, months) - timedelta(days=1))


THIRDS = (1, 11, 21)  # the first days of 上旬, 中旬, 下旬


def names_of(day: date) -> tuple[str, str, str, str]:
    """Names in `act_count` of the year, month and third of a month that contain a day, and of the day itself."""
    month = day.isoformat()[:7]
    return month[:4], month, f"{month}/{sum(start <= day.day for start in THIRDS)}", name_of_day(day)


def name_of_day(day: date) -> str:
    """2026-0315: as all names it begins with the month, and is no longer than a third of one."""
    return f"{day:%Y-%m%d}"


def cover(period: Period, whole_years: bool) -> list[str]:
    """Names of the years, months, thirds of months and days that are the period; as few as possible."""
    lengths = (12, 1) if whole_years else (1,)
    names, day = list[str](), period.since
    while day <= period.until:
        wholes = (*(whole(day, months) for months in lengths), third(day), Period(day, day))
        found = next(each for each in wholes if each.since == day and each.until <= period.until)
        names.append(name_of(found))
        day = found.until + timedelta(days=1)
    return names


def name_of(period: Period) -> str:
    """The name of a whole year, month, third of a month, or day."""
    days = (period.until - period.since).days
    return names_of(period.since)[0 if days > 300 else 1 if days > 11 else 2 if days else 3]


def third(day: date) -> Period:
    """The third of a month (旬) that contains a day: ten days, the last third 8 to 11."""
    first = max(start for start in THIRDS if start <= day.day)
    last = day.replace(day=first + 9) if first < THIRDS[-1] else whole(day, 1).until
    return Period(day.replace(day=first), last)


def start_of(day: date, column: Any) -> date | datetime:
    """The beginning of a day in the type of `column`: the date, or midnight in Beijing."""
    return day if isinstance(column.type, Date) else datetime.combine(day, time.min, SHANGHAI)


def in_period(column: Any, since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    """Conditions on `column`: from `since` to `until`, both included; None: unbounded."""
    conditions = [column >= start_of(since, column)] if since else []
    return [*conditions, column < start_of(until + timedelta(days=1), column)] if until else conditions
