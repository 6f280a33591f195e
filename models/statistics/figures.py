"""The question to 统计, and the figures of one row of the answer."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from models.application.act_counts import Measure
from models.database import tidy
from models.statistics.periods import Dimension, Period
from models.vocabulary import Action, Role

FRACTION = Decimal("0.00001")  # the smallest quantity
OF_ISSUED = frozenset({Action.GRANT, Action.REVOKE})


def is_counted_for(role: Role, act: Action) -> bool:
    """Whether this role reads how often the act was done: the nation sees issued certificates only."""
    return role is not Role.NATIONAL or act in OF_ISSUED


@dataclass(frozen=True)
class Asked:
    """A period, the dimension of its rows (None: the total alone), and one province or all."""

    period: Period
    dimension: Dimension | None
    province: str | None = None


@dataclass
class Figures:
    """One row. `days`: calendar days from 申请日期 to the decision → number of applications."""

    submitted: int = 0
    acts: Counter[Action] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)
    quantities: dict[str | None, Decimal] = field(default_factory=dict)

    @property
    def median(self) -> Decimal | None:
        """The median of `days`; None without any."""
        count = self.days.total()
        if not count:
            return None
        middle, passed = ((count - 1) // 2, count // 2), 0
        found = list[int]()
        for days, times in sorted(self.days.items()):
            passed += times
            found += [days] * sum(place < passed for place in middle[len(found) :])
        return tidy(Decimal(sum(found)) / 2)

    def add(self, other: "Figures") -> None:
        self.submitted += other.submitted
        self.acts += other.acts
        self.days += other.days
        for unit, quantity in other.quantities.items():
            self.put(Action.GRANT, Measure.QUANTITY, unit or "", quantity)

    def put(self, act: str, measure: str, detail: str, amount: Decimal | int) -> None:
        """Add an amount of a measure; `detail` as in `act_count`."""
        match measure:
            case Measure.DAYS:  # the most frequent by far
                self.days[int(detail)] += int(amount)
            case Measure.SUBMITTED:
                self.submitted += int(amount)
            case Measure.ACTED:
                self.acts[Action(act)] += int(amount)
            case Measure.QUANTITY:
                unit = detail or None
                self.quantities[unit] = tidy(self.quantities.get(unit, Decimal()) + Decimal(amount))


class Rows(defaultdict[Any, Figures]):
    """Figures by the value of the dimension, a month or quarter by its first day; rows[key] adds a missing row."""

    def __init__(self) -> None:
        super().__init__(Figures)
