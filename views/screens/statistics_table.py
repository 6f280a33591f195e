"""The table of 统计: its measures and rows, and the list behind each number."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _
from flask_babel import lazy_pgettext as _lp
from markupsafe import Markup, escape
from sqlalchemy import select

from models.codes import label_of, names_of
from models.database import db
from models.people.accounts import Organisation
from models.statistics import Asked, Figures, Rows
from models.statistics.figures import is_counted_for
from models.statistics.periods import MONTHS, Dimension, Period
from models.vocabulary import Action, Role
from views.panel.display import on_screen
from views.panel.filing_query import DECIDED

COUNTED = {  # headings: in English an act that is counted is another form than the act
    Action.SUBMIT: _lp("count", "申报"),
    Action.GRANT: _lp("count", "准予备案"),
    Action.DECLINE: _lp("count", "不予受理"),
    Action.REFUSE: _lp("count", "不予备案"),
    Action.REVOKE: _lp("count", "作废"),
}
Filters = Callable[[Period], dict[str, str]]
FIELDS = {  # dimension → field of the list's query form
    Dimension.PROVINCE: "province",
    Dimension.PUBLISHER: "publisher_code",
    Dimension.KIND: "kind",
    Dimension.COUNTRY: "country",
}


@dataclass(frozen=True)
class Row:
    """A row, or the total (no key). `key`: the value of the dimension."""

    label: str
    figures: Figures
    asked: Asked
    key: Any = None

    @property
    def granted(self) -> int:
        return self.figures.acts[Action.GRANT]

    @property
    def is_total(self) -> bool:
        return self.key is None and self.label == _("合计")

    def filters(self, of_period: Filters) -> dict[str, str] | None:
        """The query of the list of these applications; None for a missing value, which no query finds."""
        asked, filters = self.asked, {}
        if asked.province:
            filters["province"] = asked.province
        if self.is_total or asked.dimension is None:
            return filters | of_period(asked.period)
        if asked.dimension in MONTHS:
            return filters | of_period(asked.period.within(self.key, asked.dimension))
        return filters | {FIELDS[asked.dimension]: self.key} | of_period(asked.period) if self.key else None


@dataclass(frozen=True)
class Measure:
    """A column of numbers. `list_address`: of the list behind them; `filters`: its query for a period."""

    label: Any
    value: Callable[[Figures], Any]
    list_address: str
    filters: Filters

    def value_of_row(self, row: Row) -> Any:
        return self.value(row.figures)

    def address(self, row: Row) -> str | None:
        """The address of the list behind a number of this row; None without such a list."""
        filters = row.filters(self.filters)
        return f"{self.list_address}?{'&'.join(starmap(parameter, filters.items()))}" if filters else None


@lru_cache(maxsize=10_000)
def parameter(name: str, value: str) -> str:
    """A parameter of an address, encoded. Cached: the cells of a row, and those of a column, have the same ones."""
    return urlencode({name: value})


@dataclass(frozen=True)
class Table:
    """Rows and their total; a heading for the first column, measures for the others."""

    heading: str
    measures: list[Measure]
    rows: list[Row]
    total: Row

    def cells(self, row: Row) -> Markup:
        """A <td> for each measure, built in Python as the rows of a list; no link for 0, or for no number."""
        values = [(measure, measure.value_of_row(row)) for measure in self.measures]
        return Markup("".join(_cell(value, measure.address(row) if value else None) for measure, value in values))

    def bars(self, most: int) -> list[tuple[Row, float]]:
        """(row, percent of the longest bar) of the rows with grants, the first `most` of them."""
        longest = max((row.granted for row in self.rows), default=0)
        return [(row, round(100 * row.granted / longest, 1)) for row in self.rows if row.granted][:most]


def _cell(value: Any, address: str | None) -> str:
    number = escape(on_screen(value))
    return f'<td><a href="{escape(address)}">{number}</a></td>\n' if address else f"<td>{number}</td>\n"


def measures_of(role: Role, total: Figures, address: str) -> list[Measure]:
    """The columns for this role."""
    median = Measure(_("办结天数（中位数）"), lambda figures: figures.median, address, _acted(DECIDED))
    acts = {
        Action.SUBMIT: Measure(COUNTED[Action.SUBMIT], lambda figures: figures.submitted, address, _applied),
        Action.GRANT: Measure(COUNTED[Action.GRANT], _times(Action.GRANT), address, _issued),
    }
    for act in (Action.DECLINE, Action.REFUSE, Action.REVOKE):
        acts[act] = Measure(COUNTED[act], _times(act), address, _acted(act))
    names = names_of("unit")
    discs = [
        Measure(_("进口数量（%(unit)s）", unit=names.get(unit or "", unit or _("未填"))), _sum(unit), address, _issued)
        for unit in sorted(total.quantities, key=lambda unit: unit or "")
    ]
    return [*(measure for act, measure in acts.items() if is_counted_for(role, act)), *discs, median]


def _times(act: Action) -> Callable[[Figures], int]:
    return lambda figures: figures.acts[act]


def _sum(unit: str | None) -> Callable[[Figures], Any]:
    return lambda figures: figures.quantities.get(unit)


@lru_cache
def _applied(period: Period) -> dict[str, str]:
    return {"since": str(period.since), "until": str(period.until)}


@lru_cache
def _issued(period: Period) -> dict[str, str]:
    return {"issued_since": str(period.since), "issued_until": str(period.until)}


@lru_cache
def _acted(act: str) -> Filters:
    return lru_cache(
        lambda period: {"act": str(act), "acted_since": str(period.since), "acted_until": str(period.until)}
    )


def names_of_rows(asked: Asked, rows: Rows) -> Iterator[tuple[Any, str, Figures]]:
    """(key, name, figures) in order: every province and month, most grants first for the rest."""
    match asked.dimension:
        case Dimension.PROVINCE:
            for code, name in names_of("province").items():
                if asked.province in (None, code):
                    yield code, name, rows.get(code, Figures())
        case Dimension.MONTH:
            for start in asked.period.starts(asked.dimension):
                yield start, f"{start:%Y-%m}", rows.get(start, Figures())
        case Dimension.QUARTER:
            for start in asked.period.starts(asked.dimension):
                name = _("%(year)s 年第 %(quarter)s 季度", year=start.year, quarter=(start.month + 2) // 3)
                yield start, name, rows.get(start, Figures())
        case dimension:
            names = _names(dimension, [key for key in rows if key])
            for key, figures in sorted(rows.items(), key=lambda item: (-item[1].acts[Action.GRANT], item[0] or "")):
                yield key, names.get(key) or key or _("未填"), figures


def _names(dimension: Dimension | None, keys: list[str]) -> dict[str, str]:
    if dimension is Dimension.PUBLISHER:
        found = select(Organisation.credit_code, Organisation.name).where(Organisation.credit_code.in_(keys))
        return dict(db.session.execute(found).all())
    return {key: label_of("country", key) for key in keys} if dimension is Dimension.COUNTRY else {}
