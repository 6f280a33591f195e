"""办理时限: due dates of pending applications, computed from the trail, the calendar and the limits of the province.

The due date is a stored column, so that lists of 100,000 rows can be sorted and filtered by it. It is written with
every change of status and every change of limits or calendar (`recompute`), and checked by `trail verify`.
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
from models.database import NO_SYNC
from models.deadlines import calendar, provinces
from models.deadlines.counting import Calendar, Happening, Limits, Standing, standing
from models.vocabulary import Action, Status

AT_ONCE = 500  # applications whose trails are in memory
SOON = timedelta(days=45)  # before the end of the calendar the next notice is due: it is usually published in November
MOST_COUNTED = 1000


def prepare(session: Session) -> None:
    """Insert missing settings of provinces, and missing years of the shipped calendar. The caller commits."""
    provinces.seed(session)
    if calendar.seed(session):
        recompute(session)


def events_of(session: Session, ids: list[int]) -> dict[int, list[tuple[date, Happening]]]:
    """Application id → the events in its trail that start, stop or change its time for the decision, in order."""
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
    """The state of the time for the decision of one application, by its trail."""
    return standing(events_of(session, [application.id])[application.id], limits, days)


def due_on(session: Session, application: Application, after: Status) -> date | None:
    """The due date in status `after`, whose trail entry must be written; None unless the application is pending."""
    if after not in workflow.AWAITING:
        return None
    limits = provinces.limits_of(session, application.province, lock=True)
    events = events_of(session, [application.id])[application.id]
    days = calendar.load(session, min(day for day, _event in events))  # no earlier day is counted
    return standing(events, limits, days).due_on(days)


def recompute(session: Session, province: str | None = None) -> int:
    """Recompute the due dates of all pending applications (of one province); returns how many changed.

    Makes no new version, so that no open form conflicts. The caller has locked the rows of settings, and commits.
    """
    changed: dict[date | None, list[int]] = {}
    for row_id, _number, _stored, computed in differing(session, province):
        changed.setdefault(computed, []).append(row_id)
    for due, ids in changed.items():
        for first in range(0, len(ids), AT_ONCE):
            rows = update(Application).where(Application.id.in_(ids[first : first + AT_ONCE]))
            if due is not None:  # not of one that was decided meanwhile
                rows = rows.where(Application.status.in_(workflow.AWAITING))
            session.execute(rows.values(due_on=due), **NO_SYNC)
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
    """End of the calendar: `last` known day, None when this year has no notice; `beyond`: number of due dates after
    it, which are estimates, counted up to MOST_COUNTED."""

    last: date | None
    beyond: int

    @property
    def is_near(self) -> bool:
        """Whether the next notice must be entered now."""
        return self.last is None or bool(self.beyond) or clock.today() > self.last - SOON


def horizon(session: Session) -> Horizon:
    """The end of the calendar and the due dates after it. One range of an index for each province."""
    last = Calendar(years=frozenset(calendar.years_of(session))).last_known(clock.today())
    beyond = select(Application.id).where(
        Application.desk.in_(list(names_of("province"))), Application.status.in_(workflow.AWAITING)
    )
    beyond = beyond.where(Application.due_on > (last or clock.today())).limit(MOST_COUNTED)
    return Horizon(last, session.query(func.count()).select_from(beyond.subquery()).scalar() or 0)
