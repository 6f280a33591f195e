"""Working days and due dates, as pure functions: checked against the calendar of 2026 on paper."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deadlines.counting import Calendar, Happening, Limits, Standing, left, standing

RUNS, STOPS, RESETS, EXTENDS = Happening.RUNS, Happening.STOPS, Happening.RESETS, Happening.EXTENDS
# 国务院办公厅关于2026年部分节假日安排的通知: 春节 15 to 23 February, 14 and 28 February worked.
SPRING = {date(2026, 2, day): False for day in range(15, 24)} | {date(2026, 2, 14): True, date(2026, 2, 28): True}
CALENDAR = Calendar(SPRING, frozenset({2026}))
LIMITS = Limits(5, 20, 10)


def day(month: int, number: int, year: int = 2026) -> date:
    return date(year, month, number)


def due(*events: tuple[date, Happening], calendar: Calendar = CALENDAR) -> date | None:
    return standing(events, LIMITS, calendar).due_on(calendar)


def test_the_day_of_receipt_is_not_counted_and_weekends_are_skipped() -> None:
    """Monday 2 March + 20 working days is Monday 30 March."""
    assert due((day(3, 2), RUNS)) == day(3, 30)
    assert due((day(3, 7), RUNS)) == day(4, 3)  # received on a Saturday: Monday is the first day


def test_spring_festival_is_skipped_and_its_make_up_days_are_worked() -> None:
    """After Friday 13 February: Saturday 14 is a working day, then 24, 25, 26, 27, and Saturday 28."""
    days = [CALENDAR.after(day(2, 13), n) for n in range(1, 8)]
    assert days == [day(2, 14), day(2, 24), day(2, 25), day(2, 26), day(2, 27), day(2, 28), day(3, 2)]
    assert CALENDAR.between(day(2, 13), day(3, 1)) == 6


def test_a_returned_application_keeps_its_remaining_days() -> None:
    """Five of twenty days are used, a month passes, fifteen are left."""
    stopped = standing([(day(3, 2), RUNS), (day(3, 9), STOPS)], LIMITS, CALENDAR)
    assert (stopped.since, stopped.used, stopped.allowed) == (None, 5, 20)
    assert stopped.due_on(CALENDAR) is None
    assert due((day(3, 2), RUNS), (day(3, 9), STOPS), (day(4, 10), RUNS)) == CALENDAR.after(day(4, 10), 15)


def test_a_return_and_resubmission_on_one_day_counts_no_day_twice() -> None:
    assert due((day(3, 2), RUNS), (day(3, 9), STOPS), (day(3, 9), RUNS)) == day(3, 30)


def test_an_overdue_application_is_equally_overdue_after_its_return() -> None:
    """22 of 20 days were used: on the day it comes back it is two days late."""
    back = day(5, 13)
    found = due((day(3, 2), RUNS), (day(4, 1), STOPS), (back, RUNS))
    assert found is not None
    assert left(CALENDAR, back, found) == -2


def test_an_extension_adds_its_days_and_a_withdrawal_begins_anew() -> None:
    assert due((day(3, 2), RUNS), (day(3, 20), EXTENDS)) == CALENDAR.after(day(3, 2), 30)
    assert due((day(3, 2), RUNS), (day(3, 5), RESETS), (day(3, 6), RUNS)) == CALENDAR.after(day(3, 6), 20)


def test_days_left_and_days_overdue_are_working_days() -> None:
    friday = day(3, 6)
    assert [left(CALENDAR, today, friday) for today in (day(3, 3), day(3, 5), friday)] == [3, 1, 0]
    assert [left(CALENDAR, today, friday) for today in (day(3, 7), day(3, 9), day(3, 10))] == [0, -1, -2]


def test_a_due_date_in_a_year_without_a_holiday_notice_is_marked_as_an_estimate() -> None:
    """2027 is not known yet: a deadline can be counted into it, by the week alone."""
    found = due((day(12, 21), RUNS))
    assert found == day(1, 18, 2027)
    assert not CALENDAR.knows(found)
    assert CALENDAR.last_known(day(12, 21)) == day(12, 31)
    assert CALENDAR.last_known(day(1, 4, 2027)) is None
    assert Calendar(years=frozenset({2026, 2027, 2029})).last_known(day(12, 21)) == day(12, 31, 2027)


DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.slow
@given(DAYS, st.integers(-40, 40))
def test_counting_forwards_and_backwards_agree(start: date, count: int) -> None:
    reached = CALENDAR.after(start, count)
    assert CALENDAR.between(min(start, reached), max(start, reached)) == abs(count)


@given(DAYS, st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_stopping_the_clock_never_loses_or_adds_a_working_day(start: date, pauses: list[int]) -> None:
    """Returned and resubmitted at once, any number of times: the due date stays the same."""
    events, at = [(start, RUNS)], start
    for pause in pauses:
        at += timedelta(days=pause)
        events += [(at, STOPS), (at, RUNS)]
    found = due(*events)
    assert found is not None
    assert left(CALENDAR, at, found) == 20 - CALENDAR.between(start, at)


@pytest.mark.parametrize("events", [[], [(day(3, 2), STOPS)], [(day(3, 2), EXTENDS)]])
def test_an_application_never_submitted_has_no_due_date(events: list[tuple[date, Happening]]) -> None:
    assert standing(events, LIMITS, CALENDAR).due_on(CALENDAR) is None
    assert Standing().due_on(CALENDAR) is None
