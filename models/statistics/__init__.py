"""Counts of applications, decisions and quantities over a period, by one dimension.

Every statement goes through the session of the viewer, so that row security narrows it (models/access): a province
counts its own applications, the nation what has been issued. Sums and counts are made by the database.
"""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, distinct, extract, func, select
from sqlalchemy.orm import Session

from models import workflow
from models.application import Application
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.database import tidy
from models.statistics.periods import Dimension, Period, bucket, in_period
from models.vocabulary import Action

ENDINGS = (Action.DECLINE, Action.REFUSE, Action.REVOKE)  # counted from the trail; grants by 签发日期
COLUMNS = {
    Dimension.PROVINCE: Application.province,
    Dimension.PUBLISHER: Application.publisher_code,
    Dimension.COUNTRY: Application.country,
    Dimension.KIND: Carrier.kind,
}
DAY, BEIJING = 86_400, 8 * 3600  # seconds; China has had no summer time since 1991
FRACTION = Decimal("0.00001")  # the smallest quantity


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
        ordered = sorted(self.days.elements())
        return tidy(Decimal(ordered[(count - 1) // 2] + ordered[count // 2]) / 2)

    def add(self, other: "Figures") -> None:
        self.submitted += other.submitted
        self.acts += other.acts
        self.days += other.days
        for unit, quantity in other.quantities.items():
            self.quantities[unit] = self.quantities.get(unit, Decimal()) + quantity


Rows = dict[Any, Figures]  # by the value of the dimension; a month or quarter by its first day


def count(session: Session, asked: Asked) -> tuple[Rows, Figures]:
    """(rows that are not empty, total). An application has several kinds of carrier, so those rows do not add up."""
    rows, total = _rows(session, asked), Figures()
    if asked.dimension is Dimension.KIND:
        total = _rows(session, Asked(asked.period, None, asked.province)).get(None, total)
    else:
        for figures in rows.values():
            total.add(figures)
    return rows, total


def _rows(session: Session, asked: Asked) -> Rows:
    rows: Rows = {}
    starts = asked.period.starts(asked.dimension)
    for key, submitted in session.execute(_submitted(asked)):
        rows.setdefault(key, Figures()).submitted = submitted
    for key, granted in session.execute(_granted(asked)):
        rows.setdefault(key, Figures()).acts[Action.GRANT] = granted
    for key, act, times in session.execute(_ended(asked)):
        rows.setdefault(key, Figures()).acts[Action(act)] = times
    for key, days, times in session.execute(_decided(asked)):
        rows.setdefault(key, Figures()).days[days] = times
    for key, unit, quantity in session.execute(_quantities(asked)):
        # SQLite adds texts as floating point numbers: exact up to 15 digits.
        rows.setdefault(key, Figures()).quantities[unit] = tidy(quantity.quantize(FRACTION))
    return {starts[key] if starts else key: figures for key, figures in rows.items()}


def _submitted(asked: Asked) -> Select[Any]:
    rows = select(_key(asked, Application.applied_on), _applications(asked)).select_from(Application)
    return _grouped(_joined(rows, asked), asked, Application.applied_on)


def _granted(asked: Asked) -> Select[Any]:
    rows = select(_key(asked, Certificate.issued_on), _applications(asked)).select_from(Certificate)
    rows = rows.join(Certificate.application).where(issued_in(asked.period))
    return _grouped(_joined(rows, asked), asked, Certificate.issued_on)


def _ended(asked: Asked) -> Select[Any]:
    rows = select(_key(asked, TrailEntry.at), TrailEntry.act, _applications(asked)).select_from(TrailEntry)
    rows = rows.where(TrailEntry.act.in_([act.value for act in ENDINGS])).group_by(TrailEntry.act)
    return _grouped(_joined(rows.join(TrailEntry.application), asked), asked, TrailEntry.at)


def _decided(asked: Asked) -> Select[Any]:
    decided = (cast(extract("epoch", TrailEntry.at), BigInteger) + BEIJING) // DAY
    days = (decided - cast(extract("epoch", Application.applied_on), BigInteger) // DAY).label("days_taken")
    rows = select(_key(asked, TrailEntry.at), days, _applications(asked)).select_from(TrailEntry)
    rows = rows.where(TrailEntry.act.in_([act.value for act in workflow.DECISIONS])).group_by("days_taken")
    return _grouped(_joined(rows.join(TrailEntry.application), asked), asked, TrailEntry.at)


def _quantities(asked: Asked) -> Select[Any]:
    """Of the certificates issued in the period."""
    key, quantity = _key(asked, Certificate.issued_on), func.sum(Carrier.quantity)
    rows = select(key, Carrier.unit, quantity).select_from(Certificate).join(Certificate.application)
    rows = rows.join(Carrier, Carrier.application_id == Application.id).where(issued_in(asked.period))
    rows = rows.group_by(Carrier.unit)
    return _grouped(rows, asked, Certificate.issued_on)


def issued_in(period: Period) -> ColumnElement[bool]:
    """Whether the application's certificate was issued in the period; from the index of 签发日期.

    SQLite, which has no statistics, would look up the certificate of every application in scope: 0.9 s of 100,000.
    """
    issued = select(Certificate.application_id).where(*in_period(Certificate.issued_on, period.since, period.until))
    return Application.id.in_(issued)


def _key(asked: Asked, moment: Any) -> ColumnElement[Any]:
    """The value of the dimension; of a month or quarter its number in the period."""
    column = COLUMNS.get(asked.dimension) if asked.dimension else None
    return (bucket(moment, asked.period.starts(asked.dimension)) if column is None else column).label("row_key")


def _applications(asked: Asked) -> ColumnElement[int]:
    return func.count(distinct(Application.id)) if asked.dimension is Dimension.KIND else func.count()


def _joined(rows: Select[Any], asked: Asked) -> Select[Any]:
    return rows.join(Carrier, Carrier.application_id == Application.id) if asked.dimension is Dimension.KIND else rows


def _grouped(rows: Select[Any], asked: Asked, moment: Any) -> Select[Any]:
    """Within the period, in the province, by the key: by its name, for PostgreSQL takes each parameter for another."""
    rows = rows.where(*in_period(moment, asked.period.since, asked.period.until)).group_by("row_key")
    return rows.where(Application.province == asked.province) if asked.province else rows
