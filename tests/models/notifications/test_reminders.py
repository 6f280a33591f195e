"""Messages without an act: a near deadline, an ended entrustment, the first day of an announcement."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.application import Application
from models.database import db
from models.notifications import Notification, entrustments, reminders
from models.notifications.entrustments import Terms
from models.notifications.events import Event
from models.people.accounts import Account, Entrustment
from models.vocabulary import Role
from tests.cast import account_of, announced
from tests.conftest import ActAs, MakeApplication
from tests.dates import SetDay
from tests.models.notifications.test_events import notified


def remind(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        reminders.remind(session)


@pytest.mark.slow
def test_the_province_is_warned_once_three_working_days_before_a_deadline(
    app: Flask, make_application: MakeApplication, set_day: SetDay, act_as: ActAs
) -> None:
    set_day(3, 2)
    make_application(status="returned")
    key = make_application(status="pending")
    with app.app_context(), access.everything() as session:
        assert session.get_one(Application, key).due_on == date(2026, 3, 30)  # a Monday, 20 working days later
    set_day(3, 24)
    remind(app)
    assert [event for _who, event in notified(app, key)] == ["submit"]
    set_day(3, 25)
    for _time in range(2):
        remind(app)
    set_day(4, 1)
    remind(app)
    assert notified(app) == [*notified(app)[:-1], ("reviewer", "due_soon")]
    assert notified(app, key) == [("reviewer", "submit"), ("reviewer", "due_soon")]
    with act_as("reviewer"):
        message = db.session.scalars(select(Notification).where(Notification.event == Event.DUE_SOON)).one()
        assert message.sentence.endswith("的办结期限是 2026-03-30，请及时办理。")


def test_a_new_deadline_causes_a_new_warning(app: Flask, make_application: MakeApplication, set_day: SetDay) -> None:
    set_day(3, 2)
    key = make_application(status="pending")
    set_day(3, 26)
    remind(app)
    with app.app_context(), access.everything() as session:
        session.get_one(Application, key).due_on = date(2026, 4, 20)
        session.commit()
    remind(app)
    assert notified(app, key) == [("reviewer", "submit"), ("reviewer", "due_soon")]
    set_day(4, 16)
    remind(app)
    assert [event for _who, event in notified(app, key)].count("due_soon") == 2


def details(app: Flask, username: str) -> list[tuple[str, str]]:
    with app.app_context():
        access.enter(account_of(username))
        rows = db.session.scalars(select(Notification).order_by(Notification.id))
        return [(row.event, row.sentence) for row in rows]


def changed(app: Flask, **fields: date) -> None:
    """The operator changes the one entrustment."""
    with app.app_context():
        access.enter(account_of("operator"))
        pair = db.session.scalars(select(Entrustment)).one()
        before = Terms.of(pair)
        for name, value in fields.items():
            setattr(pair, name, value)
        db.session.flush()
        entrustments.notify_of_change(db.session(), before, pair)
        db.session.commit()


def test_only_the_two_units_are_notified_of_their_entrustment(app: Flask, set_day: SetDay) -> None:
    """Changed, unchanged, and at its end, which is notified once."""
    set_day(3, 2)
    changed(app, until=date(2026, 3, 5))
    changed(app)
    for day in (5, 6, 7, 30):
        set_day(3, day)
        remind(app)
    what = "江苏文艺音像出版社委托南京光盘进出口有限公司，2020-01-01 至 2026-03-05"
    heard = [("entrustment_changed", f"委托已变更：{what}。"), ("entrustment_ended", f"委托已终止：{what}。")]
    assert details(app, "publisher") == details(app, "agent") == heard
    for username in ("publisher2", "reviewer", "national", "operator"):
        assert details(app, username) == []


def test_an_entrustment_that_ended_long_ago_causes_no_reminder(app: Flask, set_day: SetDay) -> None:
    set_day(3, 2)
    with app.app_context(), access.everything() as session:
        session.scalars(select(Entrustment)).one().until = date(2026, 2, 1)
        session.commit()
    remind(app)
    assert notified(app) == []


def test_an_account_that_leaves_its_unit_no_longer_sees_its_messages(app: Flask) -> None:
    changed(app, until=clock.today())
    with app.app_context():
        account_of("agent").organisation_id = account_of("publisher2").organisation_id
        db.session.commit()
    assert details(app, "agent") == []


def test_an_announcement_notifies_each_account_once_also_accounts_created_later(
    app: Flask, add_colleague: Callable[..., None]
) -> None:
    _key, messages = announced(app, roles=frozenset({Role.PUBLISHER}))
    assert set(messages) == {"publisher", "publisher2", "agent"}
    add_colleague("late", like="publisher")
    for _time in range(2):
        remind(app)
    assert [who for who, _event in notified(app)] == ["publisher", "publisher2", "agent", "late"]
    tomorrow = clock.today() + timedelta(days=1)
    assert announced(app, since=tomorrow, until=tomorrow)[1] == {}
    remind(app)
    assert {row for row in notified(app) if row[0] == "national"} == set()


def test_two_workers_send_each_reminder_once(app: Flask, make_application: MakeApplication) -> None:
    """One commits between the other's look and its rows."""
    key, _messages = announced(app)
    with app.app_context(), access.everything() as first, access.everything() as second:
        first.query(Notification).delete()
        first.commit()
        reminders.announce(first, key)
        first.commit()
        person = second.scalars(select(Account).where(Account.username == "national")).one()
        second.add(Notification(account_id=person.id, event="announced", key=f"announcement-{key}", at=clock.now()))
        reminders.remind(second)
    assert len(notified(app)) == 7
