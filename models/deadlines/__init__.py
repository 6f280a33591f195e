"""办理时限: the due date of what waits, computed from the trail, the calendar and the limits of the province.

The due date is a stored column, so that lists of 100,000 rows can be sorted and filtered by it. It is written with
every move of the status, after every change of limits or calendar (`recompute`), and compared by `trail verify`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models import clock, workflow
from models.application import Application
from models.application.trail import TrailEntry
from models.codes import names_of
from models.deadlines import calendar, provinces
from models.deadlines.counting import Calendar, Happening, Limits, Standing, standing
from models.vocabulary import Action, Status

AT_ONCE = 500  # applications whose trails are in memory
SOON = timedelta(days=45)  # before its end the calendar is missed: the notice comes in November, as a rule
MOST_COUNTED = 1000


def prepare(session: Session) -> None:
    """What ships with the code and is not there yet: settings of the provinces, years of the calendar."""
    provinces.seed(session)
    if calendar.seed(session):
        recompute(session)


def events_of(session: Session, ids: list[int]) -> dict[int, list[tuple[date, Happening]]]:
    """What in the trail of these applications moves the time for the decision, in order."""
    extended = TrailEntry.act == Action.EXTEND.value
    entries = select(TrailEntry.application_id, TrailEntry.at, TrailEntry.act, TrailEntry.after).where(
        TrailEntry.application_id.in_(ids), or_(TrailEntry.before != TrailEntry.after, extended)
    )
    found: dict[int, list[tuple[date, Happening]]] = {key: [] for key in ids}
    for key, at, act, after in session.execute(entries.order_by(TrailEntry.id)):
        found[key].append((at.date(), _happening(act, after)))
    return found


def _happening(act: str, after: Status) -> Happening:
    if act == Action.EXTEND.value:
        return Happening.EXTENDS
    if after in workflow.AWAITING:
        return Happening.RUNS
    return Happening.RESETS if after in workflow.PRIVATE else Happening.STOPS


def standing_of(session: Session, application: Application, limits: Limits, days: Calendar) -> Standing:
    """How the time for the decision of one application stands, by its trail."""
    return standing(events_of(session, [application.id])[application.id], limits, days)


def due_on(session: Session, application: Application, after: Status) -> date | None:
    """The due date once the entry of the trail that leads to `after` is written; None unless it then waits."""
    if after not in workflow.AWAITING:
        return None
    limits = provinces.limits_of(session, application.province, lock=True)
    days = calendar.load(session)
    return standing_of(session, application, limits, days).due_on(days)


def recompute(session: Session, province: str | None = None) -> int:
    """Write the due dates of all that waits (in this province) anew, where they differ; how many did.

    The version stays: nobody's open form is spoiled. The caller holds the settings' rows, and commits.
    """
    changed: dict[date | None, list[int]] = {}
    for row_id, _number, _stored, computed in differing(session, province):
        changed.setdefault(computed, []).append(row_id)
    for due, ids in changed.items():
        for first in range(0, len(ids), AT_ONCE):
            rows = update(Application).where(Application.id.in_(ids[first : first + AT_ONCE]))
            session.execute(rows.values(due_on=due).execution_options(synchronize_session=False))
    session.expire_all()
    return sum(len(ids) for ids in changed.values())


def differing(session: Session, province: str | None = None) -> Iterator[tuple[int, str, date | None, date | None]]:
    """(id, number, stored, computed) of each application whose stored due date is not the computed one."""
    days = calendar.load(session)
    limits = {row.province: row.limits for row in session.scalars(select(provinces.ProvinceSettings))}
    waits = Application.status.in_(workflow.AWAITING)
    query = select(Application.id, Application.number, Application.province, Application.due_on)
    query = query.where(or_(waits, Application.due_on.is_not(None)))
    if province is not None:
        query = query.where(Application.province == province)
    last = 0
    while rows := session.execute(query.where(Application.id > last).order_by(Application.id).limit(AT_ONCE)).all():
        last = rows[-1].id
        events = events_of(session, [row.id for row in rows])
        for key, number, where, stored in rows:
            computed = standing(events[key], limits.get(where or "", Limits()), days).due_on(days)
            if computed != stored:
                yield key, number, stored, computed


@dataclass(frozen=True)
class Horizon:
    """How far the calendar reaches: `last` known day, None when this year has no notice; `beyond`: due dates after
    it, which are estimates, counted up to MOST_COUNTED."""

    last: date | None
    beyond: int

    @property
    def is_near(self) -> bool:
        """Whether somebody must enter the next notice now."""
        return self.last is None or bool(self.beyond) or clock.today() > self.last - SOON


def horizon(session: Session) -> Horizon:
    """How far the calendar reaches, and past what. One range of an index a province."""
    last = calendar.load(session).last_known(clock.today())
    beyond = select(Application.id).where(
        Application.desk.in_(list(names_of("province"))), Application.status.in_(workflow.AWAITING)
    )
    beyond = beyond.where(Application.due_on > (last or clock.today())).limit(MOST_COUNTED)
    return Horizon(last, session.query(func.count()).select_from(beyond.subquery()).scalar() or 0)
