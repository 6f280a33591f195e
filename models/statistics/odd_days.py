"""Figures of single days by publisher, kind of carrier or country, which `act_count` has only by thirds of months.

The database groups them from the tables of the acts.

The rule which act adds what is that of Settled.amounts() (settled.py).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Select, cast, extract, func, select
from sqlalchemy.orm import Session

from models import workflow
from models.application import Application
from models.application.act_counts import COUNTED, Measure
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.statistics.figures import FRACTION, Asked
from models.statistics.grouping import in_province, row_key, times, with_carriers
from models.statistics.periods import Period, in_period
from models.vocabulary import Action

BEIJING, DAY = 8 * 3600, 24 * 3600  # seconds

Figure = tuple[Any, str, Measure, str, Decimal | int]  # value of the dimension, act, measure, detail, amount


def figures(session: Session, asked: Asked, days: Period) -> Iterator[Figure]:
    """The amounts of the decisions and revocations on these days, by the value of the dimension."""
    for key, act, duration, amount in session.execute(_acts(asked, days)):
        if act in workflow.DECISIONS:
            yield key, act, Measure.DAYS, str(duration), amount
        if act != Action.GRANT:
            yield key, act, Measure.ACTED, "", amount
    for key, amount in session.execute(_granted(asked, days)):
        yield key, Action.GRANT, Measure.ACTED, "", amount
    for key, unit, quantity in session.execute(_quantities(asked, days)):
        # SQLite adds texts as floating point numbers: exact up to 15 digits.
        yield key, Action.GRANT, Measure.QUANTITY, unit or "", (quantity or Decimal()).quantize(FRACTION)


def _acts(asked: Asked, days: Period) -> Select[Any]:
    """Numbers of acts, by act and by calendar days since 申请日期."""
    day = (cast(extract("epoch", TrailEntry.at), BigInteger) + BEIJING) // DAY
    duration = (day - cast(extract("epoch", Application.applied_on), BigInteger) // DAY).label("days_taken")
    rows = select(row_key(asked), TrailEntry.act, duration, times(asked, TrailEntry.id)).select_from(TrailEntry)
    rows = with_carriers(rows.outerjoin(TrailEntry.application), asked, TrailEntry.application_id)
    rows = rows.where(TrailEntry.act.in_(COUNTED))
    rows = rows.where(*in_period(TrailEntry.at, days.since, days.until), *in_province(asked))
    return rows.group_by("row_key", TrailEntry.act, "days_taken")


def _granted(asked: Asked, days: Period) -> Select[Any]:
    rows = _of_issued(select(row_key(asked), times(asked, Certificate.id)))
    rows = with_carriers(rows, asked, Certificate.application_id)
    return _issued_in(rows, asked, days).group_by("row_key")


def _quantities(asked: Asked, days: Period) -> Select[Any]:
    rows = _of_issued(select(row_key(asked), Carrier.unit, func.sum(Carrier.quantity)))
    rows = rows.join(Carrier, Carrier.application_id == Certificate.application_id)
    return _issued_in(rows, asked, days).group_by("row_key", Carrier.unit)


def _of_issued(rows: Select[Any]) -> Select[Any]:
    """`rows`, from certificates joined with their applications.

    An outer join, though row security shows both or neither: with an inner join SQLite, which has no statistics, would
    begin with every application in scope.
    """
    return rows.select_from(Certificate).outerjoin(Certificate.application)


def _issued_in(rows: Select[Any], asked: Asked, days: Period) -> Select[Any]:
    return rows.where(*in_period(Certificate.issued_on, days.since, days.until), *in_province(asked))
