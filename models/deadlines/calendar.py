"""The working-day calendar as tables: the days that the yearly notice of 国务院办公厅 names, by year."""

from datetime import date, datetime
from typing import Any

from chinese_calendar.constants import Holiday, holidays, workdays  # type: ignore[import-untyped]
from flask_babel import lazy_gettext as _l
from sqlalchemy import String, null, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base
from models.deadlines.counting import Calendar
from models.vocabulary import DayKind, WordColumn

SHIPPED = "chinesecalendar"
NAMES = {holiday.value: holiday.chinese for holiday in Holiday}


class CalendarDay(Base):
    """A day off that the notice names, or a Saturday or Sunday on which one works (调休)."""

    __tablename__ = "calendar_day"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True, info={"label": _l("日期"), "required": True})
    kind: Mapped[DayKind] = mapped_column(WordColumn(DayKind), info={"label": _l("类别"), "required": True})
    name: Mapped[str] = mapped_column(String(50), info={"label": _l("节日"), "required": True})
    source: Mapped[str] = mapped_column(String(100), info={"label": _l("来源")})


class CalendarYear(Base):
    """A year whose notice is entered; its days without a CalendarDay follow the week."""

    __tablename__ = "calendar_year"

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(unique=True)
    source: Mapped[str] = mapped_column(String(100))
    entered_at: Mapped[datetime] = mapped_column(Moment)
    entered_by: Mapped[str] = mapped_column(String(160))


def years_of(session: Session) -> list[int]:
    """The years that have a notice, newest first."""
    return list(session.scalars(select(CalendarYear.year).order_by(CalendarYear.year.desc())))


def load(session: Session, since: date = date.min) -> Calendar:
    """The calendar from this day on, by one statement: some 40 days a year, in all a thousand, then the years."""
    days = select(CalendarDay.day, CalendarDay.kind, null().label("year")).where(CalendarDay.day >= since)
    found: Any = session.execute(days.union_all(select(null(), null(), CalendarYear.year))).all()
    working = {day: kind is DayKind.WORKING for day, kind, _year in found if day}
    return Calendar(working, frozenset(year for _day, _kind, year in found if year))


def seed(session: Session) -> bool:
    """Add the years of chinese_calendar that the table lacks; returns whether there were any. The caller commits."""
    known = set(session.scalars(select(CalendarYear.year)))
    shipped = [(day, DayKind.OFF, name) for day, name in holidays.items()]
    shipped += [(day, DayKind.WORKING, name) for day, name in workdays.items()]
    missing = {day.year for day, _kind, _name in shipped} - known
    present = set(session.scalars(select(CalendarDay.day)))  # a notice also names days of the last December
    for year in sorted(missing):
        session.add(CalendarYear(year=year, source=SHIPPED, entered_at=clock.now(), entered_by=SHIPPED))
    session.add_all(
        CalendarDay(day=day, kind=kind, name=NAMES.get(name, name), source=SHIPPED)
        for day, kind, name in sorted(shipped)
        if day.year in missing and day not in present
    )
    session.flush()
    return bool(missing)
