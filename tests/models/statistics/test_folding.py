"""Stored counts and uncounted acts together equal the sums of the tables, after any history."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, delete, select

from models import access, clock, statistics, workflow
from models.application import Application
from models.application.act_counts import COUNTED, ActCount, UncountedAct
from models.database import db, uncounted_acts
from models.statistics import Asked, Figures, folding
from models.statistics.periods import Dimension, Period, cover, first_of, names_of
from models.vocabulary import Action, Status
from tests.cast import account_of, add_publisher, create_application, perform_step
from tests.conftest import MakeApplication

NOW = datetime(2026, 11, 23, 10, tzinfo=clock.SHANGHAI)
WAYS = (
    (), (Action.GRANT,), (Action.GRANT,), (Action.GRANT, Action.REVOKE), (Action.DECLINE,), (Action.REFUSE,),
    (Action.RETURN,), (Action.RETURN, Action.SUBMIT, Action.GRANT), (Action.WITHDRAW,),
    (Action.WITHDRAW, Action.SUBMIT, Action.REFUSE),
)  # fmt: skip
PERIODS = (
    Period(date(2026, 1, 1), date(2026, 12, 31)), Period(date(2026, 8, 15), date(2026, 10, 22)),
    Period(date(2026, 9, 4), date(2026, 9, 17)), Period(date(2026, 10, 1), date(2026, 11, 23)),
)  # fmt: skip


def perform_random_acts(app: Flask, chance: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen applications of two provinces, at random moments, one past another year's midnight in UTC."""
    for place in range(12):
        by = chance.choice(("publisher", "publisher440000"))
        moment = NOW - timedelta(days=chance.randrange(120), hours=chance.randrange(24))
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        country = chance.choice(("DEU", "JPN"))
        key = create_application(app, by=by, status="pending", carriers=chance.randrange(1, 3), country=country)
        for step in WAYS[place % len(WAYS)]:
            moment = min(moment + timedelta(hours=chance.randrange(300)), NOW)
            monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
            perform_step(app, step, key, by)
        if chance.random() < 0.3:
            with app.app_context(), access.everything() as session:
                folding.fold(session)
    monkeypatch.setattr(clock, "now", lambda: NOW)


def seen_by(who: str, all_of_them: list[Application]) -> list[Application]:
    """The applications visible to this person, computed independently of the code under test."""
    issued = {Status.FILED, Status.CUSTOMS_RECEIVED, Status.CUSTOMS_FAILED, Status.REVOKED}
    if who == "national":
        return [row for row in all_of_them if row.status in issued]
    return [row for row in all_of_them if row.province == "320000" and row.status is not Status.DRAFT]


def added_up(seen: list[Application], asked: Asked) -> dict[Any, Figures]:
    """The rows of the table, counted one application after the other."""
    rows: dict[Any, Figures] = {}
    for application in seen:
        if asked.province in (None, application.province):
            kinds = {carrier.kind for carrier in application.carriers}
            for kind in kinds if asked.dimension is Dimension.KIND else {None}:
                add(rows, asked, application, kind)
    return rows


def add(rows: dict[Any, Figures], asked: Asked, application: Application, kind: str | None) -> None:
    def at(day: date) -> Figures:
        keys = {
            Dimension.PROVINCE: application.province, Dimension.PUBLISHER: application.publisher_code,
            Dimension.COUNTRY: application.country, Dimension.KIND: kind,
            Dimension.MONTH: first_of(day, 1), Dimension.QUARTER: first_of(day, 3), None: None,
        }  # fmt: skip
        inside = asked.period.since <= day <= asked.period.until
        return rows.setdefault(keys[asked.dimension], Figures()) if inside else Figures()

    assert application.applied_on
    at(application.applied_on).submitted += 1
    for entry in application.trail:
        day = entry.at.date()
        if entry.act in {"decline", "refuse", "revoke"}:
            at(day).acts[Action(entry.act)] += 1
        if entry.act in {"grant", "decline", "refuse"}:
            at(day).days[(day - application.applied_on).days] += 1
    if certificate := application.certificate:
        figures = at(certificate.issued_on)
        figures.acts[Action.GRANT] += 1
        for carrier in application.carriers:
            if kind is None or carrier.kind == kind:
                unit = carrier.unit
                figures.quantities[unit] = figures.quantities.get(unit, Decimal()) + (carrier.quantity or 0)


def compare(app: Flask) -> None:
    """Every figure of both kinds of viewers."""
    questions = [
        (who, Asked(period, dimension, province))
        for who in ("reviewer", "national")
        for province in (None, "440000")
        for dimension in (None, *Dimension)
        for period in PERIODS
    ]
    with app.app_context(), access.everything() as session:
        rows = list(session.scalars(select(Application)).unique())
        expected = [added_up(seen_by(who, rows), asked) for who, asked in questions]
    for (who, asked), wanted in zip(questions, expected, strict=True):
        with app.app_context():
            access.enter(account_of(who))
            assert statistics.count(db.session(), asked)[0] == wanted, (who, asked)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_figures_equal_the_sums_of_the_tables(app: Flask, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in part, completely, and recounted in small batches."""
    with app.app_context(), access.everything() as session:
        add_publisher(session, "440000")
        session.commit()
    perform_random_acts(app, Random(seed), monkeypatch)
    compare(app)
    monkeypatch.setattr(folding, "AT_ONCE", 3)
    for work in (folding.fold, folding.rebuild):
        with app.app_context(), access.everything() as session:
            work(session)
            assert session.scalars(select(UncountedAct)).all() == []
            assert folding.check(session)
        compare(app)


def test_a_wrong_or_a_missing_count_is_found(app: Flask) -> None:
    create_application(app, status="filed")
    with app.app_context(), access.everything() as session:
        assert folding.check(session)
        folding.fold(session)
        assert folding.check(session)
        row = session.scalars(select(ActCount).limit(1)).one()
        row.amount += 1
        session.commit()
        assert not folding.check(session)
        session.execute(delete(ActCount).where(ActCount.dimension == "kind"))
        session.commit()
        assert not folding.check(session)
        folding.rebuild(session)
        assert folding.check(session)


def test_the_trigger_records_exactly_the_counted_acts() -> None:
    assert f"({', '.join(repr(act.value) for act in COUNTED)})" == uncounted_acts.ACTS
    decided = {Status.FILED, Status.NOT_ACCEPTED, Status.REFUSED}
    ends = {act for act, rule in workflow.ACTS.items() if rule.to in decided}
    assert set(COUNTED) == ends - {Action.RESEND} | {Action.REVOKE}


def test_a_day_lies_in_one_year_one_month_and_one_third() -> None:
    assert names_of(date(2026, 3, 10)) == ("2026", "2026-03", "2026-03/1", "2026-0310")
    assert names_of(date(2026, 3, 11))[2] == "2026-03/2"
    assert names_of(date(2026, 3, 31))[2] == "2026-03/3"


@pytest.mark.parametrize("whole_years", [False, True])
@pytest.mark.parametrize("until", [date(2026, 4, 2), date(2026, 3, 9), date(2028, 2, 29)])
def test_every_day_of_a_period_has_exactly_one_of_its_names(until: date, whole_years: bool) -> None:
    period = Period(date(2026, 3, 9), until)
    names, day = cover(period, whole_years), date(2025, 1, 1)
    while day.year < 2029:
        assert len({*names_of(day)} & {*names}) == period.holds(day), day
        day += timedelta(days=1)
    assert len(names) == len({*names})


def test_a_period_has_as_few_names_as_possible() -> None:
    period = Period(date(2025, 12, 30), date(2027, 2, 12))
    assert cover(period, whole_years=True) == [
        "2025-1230", "2025-1231", "2026", "2027-01", "2027-02/1", "2027-0211", "2027-0212",
    ]  # fmt: skip
    assert cover(Period(date(2026, 2, 21), date(2026, 3, 31)), whole_years=False) == ["2026-02/3", "2026-03"]


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_an_act_during_a_recount_is_counted_once(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is committed after the former counts were deleted and before all acts are listed."""
    make_application(status="filed")
    pending, note_all = make_application(status="pending"), uncounted_acts.note_all

    def note_after_an_act(connection: Connection) -> None:
        perform_step(app, Action.GRANT, pending, "publisher")
        note_all(connection)

    monkeypatch.setattr(uncounted_acts, "note_all", note_after_an_act)
    with app.app_context(), access.everything() as session:
        assert folding.rebuild(session) == 2
        assert folding.check(session)
