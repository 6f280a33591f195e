"""The stored due date follows every act, every change of limits and every change of the calendar, on both databases."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from models import access, clock, deadlines, integrity
from models.acts import filing
from models.application import Application
from models.application.attachments import Store
from models.database import db
from models.deadlines import calendar, notice, provinces
from models.deadlines.calendar import CalendarDay, CalendarYear
from models.deadlines.provinces import ProvinceChange, ProvinceSettings
from models.vocabulary import Action, DayKind
from models.workflow import Refused
from tests.apps import engine_of_owner, without_triggers
from tests.cast import account_of, perform_step
from tests.conftest import ActAs, MakeApplication, StoredRows

At = Callable[[int, int, int], None]
VALUES = {
    "accept_days": 3, "decide_days": 12, "extend_days": 5, "withdrawal_allowed": False, "lease_minutes": 30,
    "valid_days": None, "required_kinds": frozenset(), "keys_required": False,
}  # fmt: skip


@pytest.fixture
def set_day(monkeypatch: pytest.MonkeyPatch) -> At:
    """`set_day(2026, 3, 2)`: from now on it is ten o'clock on that day, in Beijing."""

    def moved(year: int, month: int, day: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime(year, month, day, 10, tzinfo=clock.SHANGHAI))

    return moved


def stored(stored_rows: StoredRows, key: int) -> tuple[date | None, int]:
    (row,) = stored_rows(key)["application"]
    return row["due_on"], row["submissions"]


def contradictions(app: Flask) -> list[str]:
    with app.app_context(), access.everything() as session:
        return list(integrity.contradictions(session, Store(app.config["STORE"])))


@pytest.mark.slow
def test_the_due_date_follows_every_status_change(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, set_day: At
) -> None:
    """20 working days from 2 March 2026 are 30 March; returned on the 9th, 15 of them are left on 10 April."""
    set_day(2026, 3, 2)
    key = make_application()
    assert stored(stored_rows, key) == (None, 0)
    perform_step(app, Action.SUBMIT, key, "publisher")
    assert stored(stored_rows, key) == (date(2026, 3, 30), 1)
    set_day(2026, 3, 9)
    perform_step(app, Action.RETURN, key, "publisher")
    assert stored(stored_rows, key) == (None, 1)
    set_day(2026, 4, 10)
    perform_step(app, Action.SUBMIT, key, "publisher")
    assert stored(stored_rows, key) == (date(2026, 5, 6), 2)  # 1 to 5 May are free, Saturday 9 May comes later
    perform_step(app, Action.GRANT, key, "publisher")
    assert stored(stored_rows, key) == (None, 2)
    assert contradictions(app) == []


@pytest.mark.slow
def test_new_time_limits_change_the_due_dates_of_that_province_only(
    app: Flask,
    make_application: MakeApplication,
    make_publisher: Callable[..., str],
    stored_rows: StoredRows,
    act_as: ActAs,
    set_day: At,
) -> None:
    """12 days instead of 20: at once, for this province, with one entry in the trail for each setting that differs."""
    set_day(2026, 3, 2)
    own, other = make_application(status="pending"), make_application(by=make_publisher("440000"), status="pending")
    with act_as("reviewer") as reviewer:
        settings = provinces.settings_of(db.session(), "320000")
        assert settings is not None
        entries = provinces.change(db.session(), settings, VALUES, reviewer)
        assert [(each.setting, each.before, each.after, each.actor_name) for each in entries] == [
            ("accept_days", "5", "3", "陈静"),
            ("decide_days", "20", "12", "陈静"),
            ("extend_days", "10", "5", "陈静"),
            ("withdrawal_allowed", "True", "False", "陈静"),
        ]
        assert deadlines.recompute(db.session(), "320000") == 1
        db.session.commit()
    before = stored_rows(own)["application"][0]["version"]
    assert stored(stored_rows, own)[0] == date(2026, 3, 18)
    assert stored(stored_rows, other)[0] == date(2026, 3, 30)
    assert stored_rows(own)["application"][0]["version"] == before
    assert contradictions(app) == []


def test_time_limits_of_another_province_and_impossible_limits_are_refused(act_as: ActAs) -> None:
    with act_as("reviewer") as reviewer:
        foreign = provinces.settings_of(db.session(), "440000")
        own = provinces.settings_of(db.session(), "320000")
        assert foreign is not None
        assert own is not None
        with pytest.raises(Refused, match="只能修改本省的设置"):
            provinces.change(db.session(), foreign, VALUES, reviewer)
        for wrong in ({"decide_days": 0}, {"extend_days": 121}, {"accept_days": 13}):
            with pytest.raises(Refused):
                provinces.change(db.session(), own, VALUES | wrong, reviewer)
        db.session.rollback()
        assert db.session.scalars(select(ProvinceChange)).all() == []


def test_the_trail_of_the_settings_is_append_only(app: Flask, act_as: ActAs) -> None:
    with act_as("reviewer") as reviewer:
        settings = provinces.settings_of(db.session(), "320000")
        assert settings is not None
        provinces.change(db.session(), settings, VALUES, reviewer)
        db.session.commit()
    for attack in ("UPDATE province_change SET actor_name = '无名'", "DELETE FROM province_change"):
        with app.app_context(), engine_of_owner(app).connect() as connection, pytest.raises(Exception, match="留痕"):
            connection.execute(text(attack))


@pytest.mark.slow
def test_a_new_notice_changes_estimated_due_dates(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, set_day: At
) -> None:
    """21 December 2026 + 20 is 18 January by the week alone; with 1 January free, the 19th."""
    set_day(2026, 12, 21)
    key = make_application(status="pending")
    assert stored(stored_rows, key)[0] == date(2027, 1, 18)
    with app.app_context(), access.everything() as session:
        days = {"2027-01-01": ("off", "元旦")}
        change, moved = notice.import_notice(session, 2027, days, notice.fingerprint(session), "孙维")
        session.commit()
        assert (change.added, change.new, moved) == (days, True, 1)
        assert calendar.load(session).knows(date(2027, 6, 1))
    assert stored(stored_rows, key)[0] == date(2027, 1, 19)
    assert contradictions(app) == []


def test_a_day_entered_by_hand_changes_due_dates_and_its_removal_restores_them(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, set_day: At
) -> None:
    """2015-09-03 was such a day: declared free long after the notice."""
    set_day(2026, 3, 2)
    key = make_application(status="pending")
    with app.app_context(), access.everything() as session:
        assert notice.set_day(session, date(2026, 3, 11), DayKind.OFF, "临时放假", "孙维") == 1
        session.commit()
        assert stored(stored_rows, key)[0] == date(2026, 3, 31)
        row = session.scalars(select(CalendarDay).where(CalendarDay.day == date(2026, 3, 11))).one()
        assert notice.remove_day(session, row) == 1
        session.commit()
    assert stored(stored_rows, key)[0] == date(2026, 3, 30)


def test_a_notice_read_before_somebody_else_changed_the_calendar_is_refused(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        seen = notice.fingerprint(session)
        notice.set_day(session, date(2026, 3, 11), DayKind.OFF, "临时放假", "孙维")
        with pytest.raises(Refused, match="已被改动"):
            notice.import_notice(session, 2027, {"2027-01-01": ("off", "元旦")}, seen, "孙维")


def test_verify_finds_a_changed_due_date_and_a_changed_count(app: Flask, make_application: MakeApplication) -> None:
    waiting, decided = make_application(status="pending"), make_application(status="filed")
    with app.app_context(), engine_of_owner(app).begin() as connection, without_triggers(connection):
        first = update(Application).where(Application.id == waiting)
        connection.execute(first.values(due_on=date(2030, 1, 1), submissions=7))
        connection.execute(update(Application).where(Application.id == decided).values(due_on=date(2030, 1, 1)))
    found = contradictions(app)
    assert len(found) == 3
    assert sum("办结期限（2030-01-01）与按办理记录计算的" in sentence for sentence in found) == 2
    assert sum("申报次数" in sentence for sentence in found) == 1


def test_a_case_decided_while_due_dates_are_recomputed_gets_none(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recomputing has read it as pending, and writes after the decision."""
    decided, waiting = make_application(status="returned"), make_application(status="pending")
    later = date(2030, 1, 2)
    read = [(key, "", None, later) for key in (decided, waiting)]
    monkeypatch.setattr(deadlines, "differing", lambda *_given: iter(read))
    with app.app_context(), access.everything() as session:
        deadlines.recompute(session)
        stored = {row.id: row.due_on for row in session.scalars(select(Application))}
    assert stored == {decided: None, waiting: later}


def test_the_seed_adds_every_year_of_the_package_and_keeps_existing_days(app: Flask) -> None:
    """A second run adds nothing; a day that the operator has changed stays changed."""
    with app.app_context(), access.everything() as session:
        days = calendar.load(session)
        assert days.years == frozenset(range(2004, 2027))
        assert [day for day, works in sorted(days.exceptions.items()) if works and day.year == 2026] == [
            date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28),
            date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
        ]  # fmt: skip
        row = session.scalars(select(CalendarDay).where(CalendarDay.day == date(2026, 10, 10))).one()
        notice.remove_day(session, row)
        deadlines.prepare(session)
        assert date(2026, 10, 10) not in calendar.load(session).exceptions
        assert len(session.scalars(select(ProvinceSettings)).all()) == 34
        assert len(session.scalars(select(CalendarYear)).all()) == 23


def test_an_upgrade_from_a_release_without_due_dates_fills_them_in(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, set_day: At
) -> None:
    """As after the migration: the columns are empty, the calendar too."""
    set_day(2026, 3, 2)
    key = make_application(status="pending")
    with app.app_context(), access.everything() as session:
        session.execute(update(Application).values(due_on=None))
        for each in (*session.scalars(select(CalendarDay)), *session.scalars(select(CalendarYear))):
            session.delete(each)
        session.commit()
        deadlines.prepare(session)
        session.commit()
    assert stored(stored_rows, key)[0] == date(2026, 3, 30)


def test_a_refused_act_leaves_the_due_date(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, act_as: ActAs
) -> None:
    key = make_application(status="pending")
    before = stored(stored_rows, key)
    with act_as("reviewer"):
        application = db.session.get_one(Application, key)
        with pytest.raises(Refused):
            filing.perform(db.session(), Action.RETURN, application, account_of("reviewer"))
        db.session.rollback()
    assert stored(stored_rows, key) == before
