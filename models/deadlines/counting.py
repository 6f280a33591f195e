"""Working days and deadlines as pure functions: of the trail's events, the calendar and the limits of a province."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from functools import cached_property
from itertools import accumulate

DAY = timedelta(days=1)
WEEKEND = 5  # date.weekday() of Saturday
NEAR = 3  # working days left at which people are reminded


@dataclass(frozen=True)
class Calendar:
    """Working days. `exceptions`: day named by a yearly notice → whether it is a working day; `years` with a notice.

    In other years every Saturday and Sunday is free: an estimate, see knows().
    """

    exceptions: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] = frozenset()

    def is_working(self, day: date) -> bool:
        return self.exceptions.get(day, day.weekday() < WEEKEND)

    def knows(self, day: date) -> bool:
        """Whether the notice of that year is entered."""
        return day.year in self.years

    def last_known(self, today: date) -> date | None:
        """The last day up to which every year from today's on has its notice; None when today's has none."""
        year = today.year
        while year in self.years:
            year += 1
        return date(year - 1, 12, 31) if year > today.year else None

    def after(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; `day` itself for 0.

        For a negative count the latest day after which, up to and with `day`, lie as many working days.
        """
        while count > 0:
            day += DAY
            count -= self.is_working(day)
        while count < 0:
            count += self.is_working(day)
            day -= DAY
        return day

    def between(self, first: date, last: date) -> int:
        """How many working days lie after `first`, up to and with `last`; 0 when `last` is not later."""
        weeks, rest = divmod(max((last - first).days, 0), 7)
        by_the_week = weeks * WEEKEND + sum((first.weekday() + n) % 7 < WEEKEND for n in range(1, rest + 1))
        days, sums = self._departures
        return by_the_week + sums[bisect_right(days, max(first, last))] - sums[bisect_right(days, first)]

    @cached_property
    def _departures(self) -> tuple[list[date], list[int]]:
        """(days of the notices, sum of additional working days up to each of them, beginning with 0)."""
        days = sorted(self.exceptions)
        each = (self.exceptions[day] - (day.weekday() < WEEKEND) for day in days)
        return days, list(accumulate(each, initial=0))


@dataclass(frozen=True)
class Limits:
    """Limits in working days; our own, by analogy with 行政许可法 第三十二条, 第四十二条: no public text has any."""

    accept: int = 5
    decide: int = 20
    extend: int = 10


class Happening(Enum):
    """Effect of a trail entry on the time for the decision."""

    RUNS = auto()
    STOPS = auto()  # returned: the remaining days stay
    RESETS = auto()  # withdrawn: the next submission starts from zero
    EXTENDS = auto()


@dataclass(frozen=True)
class Standing:
    """The time for the decision: when it began to run (None: stopped), working days used before, days allowed."""

    since: date | None = None
    used: int = 0
    allowed: int = 0
    extended: bool = False

    def due_on(self, calendar: Calendar) -> date | None:
        """The last day of the time for the decision while it runs. The day of receipt is not counted."""
        return calendar.after(self.since, self.allowed - self.used) if self.since else None


def standing(events: Iterable[tuple[date, Happening]], limits: Limits, calendar: Calendar) -> Standing:
    """The time for the decision after these events, in their order."""
    since, used, extensions = None, 0, 0
    for day, event in events:
        match event:
            case Happening.RUNS:
                since = since or day
            case Happening.STOPS:
                used += calendar.between(since, day) if since else 0
                since = None
            case Happening.RESETS:
                since, used, extensions = None, 0, 0
            case Happening.EXTENDS:
                extensions += 1
    return Standing(since, used, limits.decide + extensions * limits.extend, extensions > 0)


def left(calendar: Calendar, today: date, due: date) -> int:
    """Working days from today until `due`, with it; less than 0 when it has passed, 0 on the day itself."""
    return calendar.between(today, due) if due >= today else -calendar.between(due, today)
