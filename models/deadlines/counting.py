"""Working days and deadlines as pure functions: of the trail's events, the calendar and the limits of a province."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto

DAY = timedelta(days=1)
WEEKEND = 5  # date.weekday() of Saturday
NEAR = 3  # working days left of a deadline of which people are warned


@dataclass(frozen=True)
class Calendar:
    """Working days. `exceptions`: days that the yearly notice names → whether one works; `years` with a notice.

    In a year without one only Saturdays and Sundays are free: an estimate, which `knows()` tells apart.
    """

    exceptions: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] = frozenset()

    def is_working(self, day: date) -> bool:
        return self.exceptions.get(day, day.weekday() < WEEKEND)

    def knows(self, day: date) -> bool:
        """Whether the notice of that year is here."""
        return day.year in self.years

    def last_known(self, today: date) -> date | None:
        """The last day up to which every year from today's on has its notice; None when today's has none."""
        year = today.year
        while year in self.years:
            year += 1
        return date(year - 1, 12, 31) if year > today.year else None

    def after(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; `day` itself for 0; as many working days back for less."""
        while count > 0:
            day += DAY
            count -= self.is_working(day)
        while count < 0:
            count += self.is_working(day)
            day -= DAY
        return day

    def between(self, first: date, last: date) -> int:
        """How many working days lie after `first`, up to and with `last`; 0 when `last` is not later."""
        return sum(self.is_working(first + n * DAY) for n in range(1, (last - first).days + 1))


@dataclass(frozen=True)
class Limits:
    """In working days; ours, by analogy with 行政许可法 第三十二条, 第四十二条: no public text names limits."""

    accept: int = 5
    decide: int = 20
    extend: int = 10


class Happening(Enum):
    """What an entry of the trail does to the time for the decision."""

    RUNS = auto()
    STOPS = auto()  # returned: what is left is kept
    RESETS = auto()  # withdrawn: the next submission begins anew
    EXTENDS = auto()


@dataclass(frozen=True)
class Standing:
    """The time for the decision: since when it runs (None: it stands still), working days used before, and allowed."""

    since: date | None = None
    used: int = 0
    allowed: int = 0
    extended: bool = False

    def due_on(self, calendar: Calendar) -> date | None:
        """The last day of the time for the decision while it runs. The day of receipt is not counted."""
        return calendar.after(self.since, self.allowed - self.used) if self.since else None


def standing(events: Iterable[tuple[date, Happening]], limits: Limits, calendar: Calendar) -> Standing:
    """How the time for the decision stands after these events, given in their order."""
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
