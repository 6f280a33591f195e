"""Counts of a period: each viewer's own rows alone, by every dimension, the same on both databases."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from models import clock, statistics
from models.application import Application
from models.application.carriers import Carrier
from models.database import db
from models.statistics import Asked, Figures
from models.statistics.periods import Dimension, Period, whole
from models.vocabulary import Action
from tests.cast import create_application, draft, perform_step, small_pdf
from tests.conftest import ActAs, MakeApplication

At = Callable[[datetime], None]
Counted = tuple[statistics.Rows, Figures]
Counting = Callable[..., Counted]
NOW = datetime(2026, 11, 23, 10, tzinfo=clock.SHANGHAI)
QUARTER = whole(NOW.date(), 3)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> At:
    """`set_clock(moment)`: set the clock of the application to this moment."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture
def count_as(act_as: ActAs) -> Counting:
    """`count_as("reviewer", Dimension.MONTH)`: what this person counts in the fourth quarter of 2026."""

    def count(
        who: str, dimension: Dimension | None = None, period: Period = QUARTER, province: str | None = None
    ) -> Counted:
        with act_as(who):
            return statistics.count(db.session(), Asked(period, dimension, province))

    return count


def decide(app: Flask, set_clock: At, step: Action | None, submitted: int, decided: int, **fields: Any) -> int:
    """An application submitted on one day of November and decided on another."""
    set_clock(NOW.replace(day=submitted))
    key = create_application(app, status="pending", **fields)
    set_clock(NOW.replace(day=decided))
    if step:
        perform_step(app, step, key, "publisher")
    return key


@pytest.mark.slow
def test_statistics_count_submissions_grants_refusals_and_revocations(
    app: Flask, set_clock: At, make_application: MakeApplication, count_as: Counting
) -> None:
    for step, submitted, decided in (
        (None, 2, 2), (Action.GRANT, 2, 5), (Action.GRANT, 2, 9), (Action.DECLINE, 3, 3), (Action.REFUSE, 3, 20),
    ):  # fmt: skip
        decide(app, set_clock, step, submitted, decided)
    revoked = decide(app, set_clock, Action.GRANT, 10, 12)
    perform_step(app, Action.REVOKE, revoked, "publisher")
    make_application()  # a draft counts for nobody
    rows, total = count_as("reviewer", Dimension.MONTH)
    assert set(rows) == {date(2026, 11, 1)}
    assert (total.submitted, dict(total.acts)) == (6, {"grant": 3, "decline": 1, "refuse": 1, "revoke": 1})
    assert total.quantities == {"010": Decimal(3000)}
    assert total.median == Decimal(3)  # of 0, 2, 3, 7 and 17 days


@pytest.mark.slow
def test_a_province_counts_its_own_applications_and_the_nation_counts_issued_certificates(
    app: Flask, set_clock: At, make_publisher: Callable[..., str], count_as: Counting
) -> None:
    """AD1: every figure of every dimension, also when the other province is asked for by name."""
    make_publisher("440000")
    for by in ("publisher", "publisher440000", "publisher440000"):
        decide(app, set_clock, Action.GRANT, 2, 5, by=by)
    decide(app, set_clock, Action.REFUSE, 2, 3, by="publisher440000")
    perform_step(
        app, Action.REVOKE, decide(app, set_clock, Action.GRANT, 2, 5, by="publisher440000"), "publisher440000"
    )
    for dimension in (None, *Dimension):
        own, total = count_as("reviewer", dimension)
        assert (total.submitted, dict(total.acts), total.quantities) == (1, {"grant": 1}, {"010": Decimal(1000)})
        assert (list(total.days.elements()), len(own)) == ([3], 1)
        assert count_as("reviewer", dimension, province="440000") == ({}, Figures())
        _rows, nation = count_as("national", dimension)
        assert (nation.submitted, dict(nation.acts)) == (4, {"grant": 4, "revoke": 1})
        assert nation.quantities == {"010": Decimal(4000)}
        assert count_as("national", dimension, province="440000")[1].acts[Action.GRANT] == 3
        assert count_as("operator", dimension) == ({}, Figures())
    assert set(count_as("national", Dimension.PROVINCE)[0]) == {"320000", "440000"}


@pytest.mark.slow
def test_days_follow_beijing_time_and_a_period_includes_both_ends(
    app: Flask, set_clock: At, count_as: Counting
) -> None:
    """One second past midnight in Beijing is still yesterday in UTC."""
    set_clock(datetime(2026, 9, 30, 23, 59, 59, tzinfo=clock.SHANGHAI))
    keys = [create_application(app, status="pending") for _n in range(2)]
    perform_step(app, Action.REFUSE, keys[0], "publisher")
    set_clock(datetime(2026, 10, 1, 0, 0, 1, tzinfo=clock.SHANGHAI))
    perform_step(app, Action.DECLINE, keys[1], "publisher")
    before, after = Period(date(2026, 7, 1), date(2026, 9, 30)), Period(date(2026, 10, 1), date(2026, 10, 1))
    assert dict(count_as("reviewer", None, before)[1].acts) == {"refuse": 1}
    assert dict(count_as("reviewer", None, after)[1].acts) == {"decline": 1}
    assert list(count_as("reviewer", None, after)[1].days.elements()) == [1]
    both, _total = count_as("reviewer", Dimension.QUARTER, Period(before.since, after.until))
    assert {start: dict(row.acts) for start, row in both.items()} == {
        date(2026, 7, 1): {"refuse": 1}, date(2026, 10, 1): {"decline": 1},
    }  # fmt: skip
    assert set(count_as("reviewer", Dimension.MONTH, Period(before.since, after.until))[0]) == {
        date(2026, 9, 1), date(2026, 10, 1),
    }  # fmt: skip


@pytest.mark.slow
def test_units_are_never_added_up_and_an_application_of_two_kinds_is_one_application(
    app: Flask, set_clock: At, act_as: ActAs, count_as: Counting
) -> None:
    set_clock(NOW)
    key = draft(app, "publisher", 1, {}, small_pdf)
    with act_as("publisher"):
        application = db.session.get_one(Application, key)
        for place, (unit, quantity) in enumerate((("010", "0.1"), ("010", "0.2"), ("140", "20")), start=1):
            row = Carrier(position=place, specification="120 mm", kind="DVD", unit=unit, quantity=Decimal(quantity))
            application.carriers.append(row)
        db.session.commit()
    for step in (Action.SUBMIT, Action.GRANT):
        perform_step(app, step, key, "publisher")
    rows, total = count_as("reviewer", Dimension.KIND)
    assert {kind: row.acts[Action.GRANT] for kind, row in rows.items()} == {"黑胶唱片": 1, "DVD": 1}
    assert rows["DVD"].quantities == {"010": Decimal("0.3"), "140": Decimal(20)}
    assert (total.submitted, total.acts[Action.GRANT]) == (1, 1)
    assert total.quantities == {"010": Decimal("1000.3"), "140": Decimal(20)}


def test_a_period_is_divided_at_the_first_days_of_months_and_quarters() -> None:
    period = Period(date(2025, 12, 15), date(2026, 4, 1))
    assert period.starts(Dimension.QUARTER) == [date(2025, 10, 1), date(2026, 1, 1), date(2026, 4, 1)]
    assert len(period.starts(Dimension.MONTH)) == 5
    assert period.within(date(2025, 10, 1), Dimension.QUARTER) == Period(date(2025, 12, 15), date(2025, 12, 31))
    assert period.within(date(2026, 4, 1), Dimension.QUARTER) == Period(date(2026, 4, 1), date(2026, 4, 1))
    assert whole(date(2026, 2, 3), 12) == Period(date(2026, 1, 1), date(2026, 12, 31))


def median_of(*days: int) -> Decimal | None:
    """The median of these numbers of days."""
    figures = Figures()
    figures.days.update(days)
    return figures.median


def test_the_median_is_the_middle_value_or_the_mean_of_the_two_middle_values() -> None:
    assert [median_of(), median_of(4), median_of(1, 9, 2), median_of(1, 2, 5, 30)] == [None, 4, 2, Decimal("3.5")]
