"""The query form of 统计: period (default: this quarter), dimension of the rows, and for the nation a province."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from models import clock
from models.codes import names_of
from models.statistics import Asked
from models.statistics.periods import Dimension, Period, first_of, whole
from views.panel.fields import DayField, QueryField
from views.panel.query import Query, choice

MOST_YEARS = 5
USUAL = ((_l("本月"), 1, False), (_l("上月"), 1, True), (_l("本季度"), 3, False), (_l("上季度"), 3, True),
         (_l("今年"), 12, False), (_l("去年"), 12, True))  # fmt: skip


def usual_periods() -> list[tuple[Any, Period]]:
    """(label, period) of this and the last month, quarter and year."""
    today, day = clock.today(), timedelta(days=1)
    return [
        (label, whole(first_of(today, months) - day if former else today, months)) for label, months, former in USUAL
    ]


def dimensions(*offered: Dimension) -> Any:
    """统计维度: the first is the default."""
    options = [(dimension.value, dimension.label) for dimension in offered]
    return QueryField(_l("统计维度"), choices=options, default=offered[0].value, coerce=str)


def is_longer(since: date, until: date, years: int) -> bool:
    """Whether the days from `since` to `until`, both counted, are more than so many years."""
    return (until.year - years, until.month, until.day) >= (since.year, since.month, since.day)


class StatisticsQuery(Query):
    """A period of at most five years; both days count."""

    since = DayField(_l("统计期间"))
    until = DayField(_l("至"))

    @classmethod
    def of_address(cls, typed: Mapping[str, str]) -> Self:
        """The form filled from the address; without any day for this quarter."""
        values = MultiDict((name, value) for name, value in typed.items() if value.strip())
        if not values.keys() & {"since", "until"}:
            quarter = whole(clock.today(), 3)
            values |= {"since": str(quarter.since), "until": str(quarter.until)}
        return cls(values)

    def validate(self, *args: Any, **options: Any) -> bool:
        if not super().validate(*args, **options):
            return False
        if self.since.data is None or self.until.data is None:
            self.until.errors = [*self.until.errors, _("请填写起始日期和终止日期。")]
        elif is_longer(self.since.data, self.until.data, MOST_YEARS):
            self.until.errors = [*self.until.errors, _("一次最多统计 %(years)s 年，请缩短期间。", years=MOST_YEARS)]
        return not self.until.errors

    def question(self) -> Asked:
        """What the form asks to count; the form must be valid."""
        province = self._fields.get("province")
        return Asked(self.period(), Dimension(self["dimension"].data), province.data or None if province else None)

    def period(self) -> Period:
        """The period of the form, which must be valid."""
        assert self.since.data and self.until.data
        return Period(self.since.data, self.until.data)

    def heading(self) -> str:
        """The heading of the first column."""
        return str(Dimension(self["dimension"].data).label)

    def only_province(self) -> str:
        """The name of the province that was asked for; "" for all."""
        province = self._fields.get("province")
        return names_of("province")[province.data] if province is not None and province.data else ""

    def asked(self, period: Period | None = None) -> dict[str, str]:
        """The parameters of an address for this form; `period`: in place of its own."""
        values = {field.name: str((field.raw_data or [field.data])[0] or "") for field in self}
        return values | ({"since": str(period.since), "until": str(period.until)} if period else {})

    def periods(self) -> list[tuple[Any, Period, bool]]:
        """(label, period, whether it is asked for now)."""
        return [(label, period, period == self.period()) for label, period in usual_periods()]


COMMON = (Dimension.MONTH, Dimension.QUARTER, Dimension.PUBLISHER, Dimension.KIND, Dimension.COUNTRY)


class ProvinceStatistics(StatisticsQuery):
    """The form of a province."""

    dimension = dimensions(*COMMON)


class NationStatistics(StatisticsQuery):
    """The form of the nation."""

    dimension = dimensions(Dimension.PROVINCE, *COMMON)
    province = choice(_l("省份"), lambda: list(names_of("province").items()))
