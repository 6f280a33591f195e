"""Import of the yearly notice of 国务院办公厅 from a file: read its rows, compare with the calendar, import."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import clock, deadlines
from models.codes.headings import Rows, columns_of, shortened
from models.deadlines import provinces
from models.deadlines.calendar import CalendarDay, CalendarYear
from models.language import listed, recorded
from models.text import Unreadable, clean_line, parse_day
from models.vocabulary import DayKind
from models.workflow import Refused

HEADINGS: dict[Any, tuple[str, ...]] = {
    _l("日期"): ("日期", "day", "date"),
    _l("类别"): ("类别", "类型", "安排", "kind", "type"),
    _l("节日"): ("节日", "名称", "节日名称", "假日", "name", "holiday"),
}
KINDS = {
    DayKind.OFF: ("放假", "休", "休息", "节假日", "假日", "off", "holiday"),
    DayKind.WORKING: ("上班", "班", "调休上班", "调休", "补班", "工作日", "working", "workday"),
}
HOLIDAYS = ("元旦", "春节", "清明", "劳动", "端午", "中秋", "国庆")  # 全国年节及纪念日放假办法 第二条
LONGEST_NAME = 50

Days = dict[str, tuple[str, str]]  # ISO date → (kind, name), as JSON in the preview page


@dataclass
class Notice:
    """The days of one year's notice, which may name the last December too. The operator must confirm the `doubts`."""

    year: int
    days: Days
    doubts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """What a notice would change; `new`: its year has none yet."""

    added: Days
    changed: dict[str, tuple[tuple[str, str], tuple[str, str]]]
    removed: Days
    new: bool

    @property
    def is_any(self) -> bool:
        """Whether anything would change."""
        return bool(self.new or self.added or self.changed or self.removed)


def notice_of(rows: Rows) -> Notice:
    """The notice in the rows of a sheet. Raises Refused with a sentence that says what to correct."""
    columns, first = columns_of(rows, HEADINGS)
    days, wrong, counts = Days(), [], Counter[str]()
    for number, row in enumerate(rows[first:], start=first + 1):
        cells = [clean_line(row[column]) or "" if column < len(row) else "" for column in columns]
        if not any(cells):
            continue
        try:
            day, kind, name = _read(cells)
        except (Unreadable, Refused) as why:
            wrong.append(_("第 %(number)s 行（%(why)s）", number=number, why=str(why).rstrip("。.")))
            continue
        days[day.isoformat()] = (kind.value, name)
        counts[day.isoformat()] += 1
    if wrong:
        raise Refused(
            _("有 %(count)s 行不能识别，请改正后重新上传：%(rows)s。", count=len(wrong), rows=shortened(wrong))
        )
    if not days:
        raise Refused(_("文件中没有数据，请核对后重新选择文件。"))
    year = _year_of([date.fromisoformat(day) for day in days])
    doubled = [day for day, times in counts.items() if times > 1]
    return Notice(year, days, doubts=_doubts(days, doubled))


def _read(cells: list[str]) -> tuple[date, DayKind, str]:
    day = parse_day(cells[0].removesuffix(" 00:00:00"))
    kind = next((kind for kind, words in KINDS.items() if cells[1].casefold() in words), None)
    if kind is None:
        raise Refused(_("类别“%(kind)s”，须为放假或上班", kind=cells[1][:20]))
    if not 0 < len(cells[2]) <= LONGEST_NAME:
        raise Refused(_("节日须填写，不超过 %(most)s 字", most=LONGEST_NAME))
    if kind is DayKind.WORKING and day.weekday() < 5:
        raise Refused(_("%(day)s 是周一至周五，不是调休上班", day=day))
    return day, kind, cells[2]


def _year_of(days: list[date]) -> int:
    """The year of the notice: that of its latest day; others may only lie in the December before (元旦)."""
    year = max(days).year
    if strange := [str(day) for day in days if day.year != year and (day.year, day.month) != (year - 1, 12)]:
        raise Refused(
            _(
                "一份文件只能是一个年度的安排，以下日期不属于 %(year)s 年：%(days)s。",
                year=year,
                days=shortened(strange),
            )
        )
    return year


def _doubts(days: Days, doubled: list[str]) -> list[str]:
    named = " ".join(name for _kind, name in days.values())
    doubts = []
    if absent := [holiday for holiday in HOLIDAYS if holiday not in named]:
        doubts.append(_("没有提到：%(names)s。请确认通知是完整的。", names=listed(absent)))
    if not any(kind == DayKind.WORKING for kind, _name in days.values()):
        doubts.append(_("没有调休上班的日期，请确认通知是完整的。"))
    if doubled:
        doubts.append(_("有日期重复，采用各自最后一行：%(days)s。", days=shortened(doubled)))
    return doubts


def compare(session: Session, year: int, days: Days) -> Change:
    """The effect that the notice would have; reads only. Of other years only the days that it names are touched.

    Nor are the days of its own year that the next year's notice has named, as 31 December.
    """
    days = {day: (kind, name) for day, (kind, name) in days.items()}  # lists, where they have been JSON
    rows, next_years = _rows(session, year, days), recorded(_source(year + 1))
    present = {each.day.isoformat(): (each.kind.value, each.name) for each in rows}
    kept = {*days, *(each.day.isoformat() for each in rows if each.source == next_years)}
    return Change(
        added={day: kind for day, kind in sorted(days.items()) if day not in present},
        changed={day: (present[day], kind) for day, kind in sorted(days.items()) if present.get(day, kind) != kind},
        removed={day: kind for day, kind in sorted(present.items()) if day not in kept},
        new=session.scalar(select(CalendarYear.id).where(CalendarYear.year == year)) is None,
    )


def _source(year: int) -> Any:
    return _l("%(year)s 年放假安排", year=year)


def _rows(session: Session, year: int, days: Days) -> list[CalendarDay]:
    own = CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31))
    named = CalendarDay.day.in_([date.fromisoformat(day) for day in days])
    return list(session.scalars(select(CalendarDay).where(own | named).order_by(CalendarDay.day)))


def fingerprint(session: Session) -> str:
    """SHA-256 of the whole calendar, in hex, to detect changes between preview and import."""
    rows = session.execute(select(CalendarDay.day, CalendarDay.kind, CalendarDay.name).order_by(CalendarDay.day)).all()
    years = sorted(session.scalars(select(CalendarYear.year)))
    content = [[[str(cell) for cell in row] for row in rows], years]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def import_notice(session: Session, year: int, days: Days, previewed: str, by: str) -> tuple[Change, int]:
    """Replace the days of that year; returns (changes, number of changed due dates). The caller commits.

    Raises Refused unless the calendar is still that of the preview, whose fingerprint is `previewed`.
    """
    provinces.lock_all(session)  # a second import, and every computation of due dates, waits here
    session.expire_all()
    if fingerprint(session) != previewed:
        raise Refused(_("日历在预览之后已被改动，没有导入。请重新上传文件并核对。"))
    found = compare(session, year, days)
    replaced = [date.fromisoformat(day) for day in (*found.removed, *found.changed)]
    session.execute(delete(CalendarDay).where(CalendarDay.day.in_(replaced)))
    source = recorded(_source(year))
    for day in (*found.added, *found.changed):
        kind, name = days[day]
        session.add(CalendarDay(day=date.fromisoformat(day), kind=DayKind(kind), name=name, source=source))
    entered = session.scalar(select(CalendarYear).where(CalendarYear.year == year)) or CalendarYear(year=year)
    entered.source, entered.entered_at, entered.entered_by = source, clock.now(), by
    session.add(entered)
    session.flush()
    return found, deadlines.recompute(session)


def set_day(session: Session, day: date, kind: DayKind, name: str, by: str) -> int:
    """Add or replace one day; returns the number of changed due dates. The caller commits.

    Raises Refused for a working day (调休上班) from Monday to Friday.
    """
    if kind is DayKind.WORKING and day.weekday() < 5:
        raise Refused(_("%(day)s 是周一至周五，本来就是工作日，不必登记。", day=day))
    provinces.lock_all(session)
    row = session.scalar(select(CalendarDay).where(CalendarDay.day == day)) or CalendarDay()
    row.day, row.kind, row.name, row.source = day, kind, name, recorded(_l("%(who)s 登记", who=by))
    session.add(row)
    session.flush()
    return deadlines.recompute(session)


def remove_day(session: Session, row: CalendarDay) -> int:
    """Delete one day, which then follows the week; returns the number of changed due dates. The caller commits."""
    provinces.lock_all(session)
    session.delete(row)
    session.flush()
    return deadlines.recompute(session)
