"""Decisions and revocations, read one by one from the trail, and the amounts that each adds to the figures."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models import workflow
from models.application import Application
from models.application.act_counts import Measure
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.statistics import grouping
from models.statistics.periods import Dimension
from models.vocabulary import Action

Discs = dict[str | None, dict[str, Decimal]]  # kind of carrier → unit → quantity
DECISIONS = frozenset(act.value for act in workflow.DECISIONS)
COLUMNS = (
    TrailEntry.id, TrailEntry.act, TrailEntry.at, TrailEntry.application_id, Application.applied_on,
    Certificate.issued_on, *(column for column in grouping.COLUMNS.values() if column is not Carrier.kind),
)  # fmt: skip


class Amount(NamedTuple):
    """The amount of a measure on a day; `detail` as in `act_count`."""

    day: date
    measure: Measure
    detail: str
    amount: Decimal | int


@dataclass(frozen=True)
class Settled:
    """An act of COUNTED: `row` of COLUMNS, and the carriers of its application."""

    row: Row[Any]
    discs: Discs = field(default_factory=dict)

    def keys(self, dimension: Dimension | None) -> Iterator[tuple[str, Discs]]:
        """(value of the dimension, the discs that count under it); an application may have several kinds."""
        column = grouping.COLUMNS.get(dimension)
        if column is Carrier.kind:
            yield from ((kind or "", {kind: units}) for kind, units in self.discs.items())
        else:
            yield (getattr(self.row, column.key) if column is not None else None) or "", self.discs

    def amounts(self, discs: Discs) -> Iterator[Amount]:
        """The amounts that the act adds; `discs`: as in keys()."""
        row, day = self.row, self.row.at.date()
        if row.act in DECISIONS:
            yield Amount(row.applied_on, Measure.SUBMITTED, "", 1)
            yield Amount(day, Measure.DAYS, str((day - row.applied_on).days), 1)
        if row.act != Action.GRANT:
            yield Amount(day, Measure.ACTED, "", 1)
            return
        yield Amount(row.issued_on, Measure.ACTED, "", 1)
        for units in discs.values():
            for unit, quantity in units.items():
                yield Amount(row.issued_on, Measure.QUANTITY, unit, quantity)


def load(session: Session, *conditions: Any) -> list[Settled]:
    """The acts that meet the conditions, in the scope of this session; they must select acts of COUNTED only."""
    rows = session.execute(_joined(select(*COLUMNS)).where(*conditions)).all()
    if not rows:
        return []
    discs: dict[int, Discs] = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    carriers = _joined(select(TrailEntry.id, Carrier.kind, Carrier.unit, Carrier.quantity))
    carriers = carriers.join(Carrier, Carrier.application_id == TrailEntry.application_id)
    for key, kind, unit, quantity in session.execute(carriers.where(*conditions)):
        discs[key][kind][unit or ""] += quantity or 0
    return [Settled(row, discs.get(row.id, {})) for row in rows]


def _joined(rows: Any) -> Any:
    """`rows`, from trail entries joined with application and certificate.

    Outer joins, though each entry has its application: with inner joins SQLite, which has no statistics, would begin
    with every application in scope.
    """
    found = rows.select_from(TrailEntry).outerjoin(TrailEntry.application)
    return found.outerjoin(Certificate, Certificate.application_id == TrailEntry.application_id)
