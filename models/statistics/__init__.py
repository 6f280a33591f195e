"""Counts of applications, decisions and quantities over a period, by one dimension.

Decisions and revocations are read from `act_count`, as years, months, thirds of months and days. Acts that it does not
contain yet, and pending applications, are counted in their own tables. Every statement runs in the session of the
viewer, under row security (models/access): a province counts its own, the nation the issued ones.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from models import clock, workflow
from models.access.viewer import KEY, desk_of
from models.application import Application
from models.application.act_counts import NATION, ActCount, UncountedAct
from models.application.trail import TrailEntry
from models.database import unindexed
from models.statistics import settled
from models.statistics.figures import FRACTION, Asked, Figures, Rows
from models.statistics.grouping import ONLY_BY_PROVINCE, in_province, row_key, times, with_carriers
from models.statistics.periods import MONTHS, Dimension, Period, cover, first_of, in_period, third
from models.statistics.settled import Settled

__all__ = ["Asked", "Figures", "Rows", "count"]

KEY_OF_ACT = UncountedAct.entry_id
MOST_READINGS = 5  # then an act of the last moments may be missing, or counted twice, on this page
KEYS: dict[Dimension | None, Any] = {Dimension.PROVINCE: ActCount.scope, None: literal("")}  # of acts of all kinds
KEYS |= dict.fromkeys(MONTHS, ActCount.period)
WAITING = [status.order for status in workflow.UNDECIDED - workflow.PRIVATE]


def count(session: Session, asked: Asked) -> tuple[Rows, Figures]:
    """(rows that are not empty, total). An application may have several kinds of carrier: those rows do not add up."""
    rows, total = _rows(session, asked), Figures()
    if asked.dimension is Dimension.KIND:
        total = _rows(session, Asked(asked.period, None, asked.province)).get(None, total)
    else:
        for figures in rows.values():
            total.add(figures)
    return rows, total


def _rows(session: Session, asked: Asked) -> Rows:
    """The rows. Read again when acts were added or folded meanwhile, which could be read twice or not at all."""
    for _time in range(MOST_READINGS):
        rows, before = Rows(), _uncounted(session)
        _read(session, asked, rows, any(before))
        if _uncounted(session) == before:
            break
    return rows


def _uncounted(session: Session) -> tuple[Any, ...]:
    """(lowest id, highest id, number) of the uncounted acts: changes with each act and each fold()."""
    return tuple(session.execute(select(func.min(KEY_OF_ACT), func.max(KEY_OF_ACT), func.count(KEY_OF_ACT))).one())


def _read(session: Session, asked: Asked, rows: Rows, has_uncounted: bool) -> None:
    names = cover(_to_the_end(asked.period), whole_years=asked.dimension not in MONTHS)
    _add_counted(session, asked, names, rows)
    _add_pending(session, asked, rows)
    if has_uncounted:
        uncounted = settled.load(session, *in_province(asked), TrailEntry.id.in_(select(UncountedAct.entry_id)))
        _add_acts(asked, uncounted, rows)


def _to_the_end(period: Period) -> Period:
    """The period, extended to the end of a third of a month if it ends today or later: no act is dated after today."""
    today = clock.today()
    return Period(period.since, max(period.until, third(today).until)) if period.until >= today else period


def _add_counted(session: Session, asked: Asked, names: list[str], rows: Rows) -> None:
    """Add the amounts in `act_count` of these years, months, thirds of months and days."""
    key = KEYS.get(asked.dimension, ActCount.key).label("row_key")
    sums = (func.sum(ActCount.amount), func.sum(ActCount.fraction))
    by_key = asked.dimension if asked.dimension not in KEYS else None
    counts = select(key, ActCount.act, ActCount.measure, ActCount.detail, *sums).where(
        ActCount.dimension == (by_key or ""), ActCount.period.in_(names), _scope(session, asked)
    )
    for value, act, measure, detail, amount, fraction in session.execute(
        counts.group_by("row_key", ActCount.act, ActCount.measure, ActCount.detail)
    ):
        if asked.dimension in MONTHS:
            value = first_of(date.fromisoformat(f"{value[:7]}-01"), MONTHS[asked.dimension])
        rows[value or None].put(act, measure, detail, amount + fraction * FRACTION if fraction else amount)


def _scope(session: Session, asked: Asked) -> ColumnElement[bool]:
    """The scopes of `act_count` to add up for this viewer and question."""
    if province := asked.province or desk_of(session.info.get(KEY)):
        return ActCount.scope == province
    has_nation = asked.dimension not in (Dimension.PROVINCE, *ONLY_BY_PROVINCE)
    return ActCount.scope == NATION if has_nation else ActCount.scope != NATION


def _add_pending(session: Session, asked: Asked, rows: Rows) -> None:
    """Add the number of submitted applications that are not decided, by 申请日期."""
    found = select(row_key(asked), Application.applied_on, times(asked, Application.id)).select_from(Application)
    found = with_carriers(found, asked, Application.id).where(Application.status_order.in_(WAITING))
    found = found.where(*in_period(unindexed(Application.applied_on), asked.period.since, asked.period.until))
    found = found.where(*in_province(asked)).group_by("row_key", Application.applied_on)
    for value, day, submitted in session.execute(found):
        rows[_key(asked, value, day)].submitted += submitted


def _add_acts(asked: Asked, acts: Iterable[Settled], rows: Rows) -> None:
    """Add the amounts of these acts in the period."""
    for act in acts:
        for value, discs in act.keys(asked.dimension):
            for day, measure, detail, amount in act.amounts(discs):
                if asked.period.holds(day):
                    rows[_key(asked, value, day)].put(act.row.act, measure, detail, amount)


def _key(asked: Asked, value: str | None, day: date) -> Any:
    return first_of(day, MONTHS[asked.dimension]) if asked.dimension in MONTHS else value or None
