"""本月, 上季度, 去年, 近 30 天 … as input of a date range; the days are computed at each request."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, Form

from models import clock
from models.clock import SHANGHAI
from models.language import in_each_language
from models.statistics.periods import first_of, next_start
from models.text import clean_line
from views.panel.fields import DayField

DAY = timedelta(days=1)
FIRST = date(2000, 1, 1)  # no earlier moment is stored


def begin(day: date) -> datetime:
    """The first moment of the day in Beijing."""
    return datetime.combine(max(day, FIRST), time.min, SHANGHAI)


def end(day: date) -> datetime:
    """The last moment of the day in Beijing."""
    return datetime.combine(max(day, FIRST), time.max, SHANGHAI)


def _whole(months: int, before: int = 0) -> Callable[[date], tuple[date, date]]:
    """A function from a day to its month (1), quarter (3) or year (12), or to the one `before` it."""

    def period(today: date) -> tuple[date, date]:
        since = first_of(today, months)
        for _time in range(before):
            since = first_of(since - DAY, months)
        return since, next_start(since, months) - DAY

    return period


# Name in addresses → (label that a person types, function from a day to (first day, last day) of its period).
PERIODS: dict[str, tuple[Any, Callable[[date], tuple[date, date]]]] = {
    "month": (_l("本月"), _whole(1)),
    "last-month": (_l("上月"), _whole(1, before=1)),
    "quarter": (_l("本季度"), _whole(3)),
    "last-quarter": (_l("上季度"), _whole(3, before=1)),
    "year": (_l("今年"), _whole(12)),
    "last-year": (_l("去年"), _whole(12, before=1)),
    "30-days": (_l("近 30 天"), lambda today: (today - 29 * DAY, today)),
}


def name_of(typed: str | None) -> str | None:
    """The name of a period from its name or its label in any language; None for other text."""
    words = _plain(clean_line(typed) or "")
    for name, (label, _period) in PERIODS.items():
        if words and words in (name, *map(_plain, in_each_language(label))):
            return name
    return None


def _plain(words: str) -> str:
    """Without blanks, in lower case."""
    return "".join(words.split()).lower()


def period_of(typed: str | None) -> tuple[date, date] | None:
    """(first day, last day) of a typed period, counted from today; None for other text."""
    name = name_of(typed)
    return PERIODS[name][1](clock.today()) if name else None


class PeriodField(DayField):
    """An end of a date range, or a period; then `period` is its label, and take() sets what the field makes of it."""

    period: Any = None

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.render_kw: dict[str, Any] = (self.render_kw or {}) | {"inputmode": "text"}

    def process_formdata(self, valuelist: list[str]) -> None:
        found = period_of(valuelist[0]) if valuelist else None
        if found is None:
            super().process_formdata(valuelist)
            return
        self.period = PERIODS[name_of(valuelist[0]) or ""][0]
        self.raw_data = [str(self.period)]  # shown in the language of the request
        self.take(*found)

    def take(self, first: date, last: date) -> None:
        """Set `data` from the days of the period."""
        raise NotImplementedError


class SinceField(PeriodField):
    """The first day of a range; of a period, `last` is its last day."""

    last: date | None = None

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.render_kw |= {"data-periods": True}

    def take(self, first: date, last: date) -> None:
        self.data, self.last = first, last


class UntilField(PeriodField):
    """The last day of a range, also of a period: from 上季度 to 上月."""

    def take(self, first: date, last: date) -> None:
        self.data = last


class RangeForm(Form):
    """A form with date ranges: pairs of fields whose names end with since and until."""

    def process(self, *args: Any, **options: Any) -> None:
        """A period sets the last day of its range if that is blank; its field stays blank, because the days change."""
        super().process(*args, **options)
        for until in self:
            since = self.other_end(until, "until", "since")
            if until.data is None and not until.process_errors and isinstance(since, SinceField) and since.last:
                until.data, until.raw_data = since.last, [""]

    def other_end(self, field: Field, end: str, other: str) -> Field | None:
        """The other field of a date range, whose names end with since and until; None for any other field."""
        name = field.short_name
        return self._fields.get(name.removesuffix(end) + other) if name.endswith(end) else None
