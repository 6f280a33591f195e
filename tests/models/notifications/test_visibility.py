"""Row security of messages: only one's own, and only about rows that are still visible."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from models import access, clock, notifications
from models.access import Closed
from models.acts import filing
from models.application import Application
from models.database import GuardedSession, db
from models.log import Place
from models.notifications import Notification, announcements
from models.notifications.announcements import Announcement, AnnouncementChange
from models.notifications.letters import MailLetter
from models.people.accounts import Account
from models.vocabulary import Action, Role
from tests.cast import account_of, announced
from tests.conftest import ActAs, MakeApplication
from tests.models.attempts import session_of

EVERYBODY = ("publisher", "publisher2", "agent", "reviewer", "reviewer2", "national", "operator")


def seen(session: Session) -> list[str]:
    return [row.event for row in session.scalars(select(Notification).order_by(Notification.id))]


def test_an_account_sees_only_its_own_messages(app: Flask, make_application: MakeApplication) -> None:
    make_application(by="agent", status="returned")
    expected = {key: list[str]() for key in EVERYBODY} | {"agent": ["return"], "reviewer": ["submit"]}
    for who, events in expected.items():
        with app.app_context():
            assert seen(session_of(who)) == events, who
            assert notifications.unread_count(db.session()) == len(events)
    with app.app_context():
        assert seen(session_of("")) == []


@pytest.mark.parametrize("who", ["publisher2", "reviewer2", "operator", ""])
def test_a_foreign_message_cannot_be_read_marked_or_deleted(
    app: Flask, make_application: MakeApplication, who: str
) -> None:
    make_application(status="returned")
    with app.app_context(), access.everything() as session:
        keys = session.scalars(select(Notification.id).order_by(Notification.id)).all()
    with app.app_context():
        session = session_of(who)
        assert [session.get(Notification, key) for key in keys] == [None] * len(keys)
        assert notifications.mark_all_read(session) == 0
        session.execute(update(Notification).values(key="x").execution_options(synchronize_session=False))
        session.execute(delete(Notification).execution_options(synchronize_session=False))
        session.commit()
    with app.app_context(), access.everything() as session:
        rows = session.scalars(select(Notification).order_by(Notification.id)).all()
        assert [row.id for row in rows] == keys
        assert all(row.read_at is None and row.key != "x" for row in rows)


def test_foreign_messages_are_visible_without_the_guard(app: Flask, make_application: MakeApplication) -> None:
    """This listener alone hides them."""
    make_application(status="returned")
    event.remove(GuardedSession, "do_orm_execute", access.reading.add_reading_rules)
    try:
        with app.app_context():
            assert seen(session_of("publisher2")) == ["submit", "return"]
    finally:
        event.listen(GuardedSession, "do_orm_execute", access.reading.add_reading_rules)


@pytest.mark.slow
def test_a_message_is_hidden_with_its_application(
    app: Flask, make_application: MakeApplication, act_as: ActAs, make_publisher: Callable[..., str]
) -> None:
    """Withdrawn, it is out of the province's sight; deleted, out of its owner's; and who moves to another unit or
    province leaves behind what belonged to the former one."""
    make_publisher("440000")
    withdrawn, refused = make_application(status="pending"), make_application(status="refused")
    for key, action in ((withdrawn, Action.WITHDRAW), (refused, Action.DELETE)):
        with act_as("publisher") as by:
            filing.perform(db.session(), action, db.session.get_one(Application, key), by)
            db.session.commit()
    with act_as("reviewer"):
        assert {row.application_id for row in db.session.scalars(select(Notification))} == {refused}
    with act_as("publisher"):
        assert seen(db.session()) == []
    make_application(status="returned")
    with app.app_context(), access.everything() as session:
        account_of("publisher", session).organisation_id = account_of("publisher2").organisation_id
        account_of("reviewer", session).province = "440000"
        session.commit()
    for who in ("publisher", "reviewer"):
        with act_as(who):
            assert seen(db.session()) == []
            assert notifications.unread_count(db.session()) == 0


@pytest.mark.parametrize("who", [*EVERYBODY, ""])
def test_no_account_can_read_queued_letters(app: Flask, make_application: MakeApplication, who: str) -> None:
    with app.app_context(), access.everything() as session:
        publisher = account_of("publisher", session)
        publisher.email, publisher.mail_wish = "wang@example.cn", "each"  # type: ignore[assignment]
        session.commit()
    make_application(status="returned")
    with app.app_context(), access.everything() as session:
        assert len(session.scalars(select(MailLetter)).all()) == 1
    with app.app_context():
        assert session_of(who).scalars(select(MailLetter)).all() == []


def a_message(**fields: Any) -> Notification:
    return Notification(event="submit", key="x", at=clock.now(), **fields)


@pytest.mark.parametrize("who", ["publisher2", "reviewer2", "national", ""])
def test_an_account_cannot_notify_about_an_application_it_does_not_see(
    app: Flask, make_application: MakeApplication, who: str
) -> None:
    """A row is added to another account with an act, of an application that its actor sees."""
    key = make_application(status="pending")
    with app.app_context():
        session = session_of(who)
        victim = account_of("publisher").id
        for about in ({"application_id": key}, {"detail": "来访"}):
            session.add(a_message(account_id=victim, **about))
            with pytest.raises(Closed):
                session.flush()
            session.rollback()


def test_only_operators_write_announcements(app: Flask) -> None:
    today = clock.today()
    for who in ("publisher", "reviewer", "national", ""):
        with app.app_context():
            session = session_of(who)
            row = Announcement(title="x", text="x", roles=frozenset(Role), since=today, until=today)
            session.add(row)
            with pytest.raises(Closed):
                session.flush()
            session.rollback()
            session.add(AnnouncementChange(announcement_id=1, at=clock.now(), actor_name="x", what="x", changes={}))
            with pytest.raises(Closed):
                session.flush()
            session.rollback()


@pytest.mark.parametrize(
    ("fields", "readers"),
    [
        ({}, set(EVERYBODY)),
        ({"roles": frozenset({Role.REVIEWER})}, {"reviewer", "reviewer2", "operator"}),
        ({"since": 2, "until": 9}, {"operator"}),
    ],
)
def test_an_announcement_is_visible_to_its_roles_on_its_days(app: Flask, fields: Any, readers: set[str]) -> None:
    """Operators see all of them. Whole numbers: days from now."""
    announced(
        app,
        **{
            name: clock.today() + timedelta(each) if name in ("since", "until") else each
            for name, each in fields.items()
        },
    )
    for who in EVERYBODY:
        with app.app_context():
            assert bool(session_of(who).scalars(select(Announcement)).all()) is (who in readers), who
    with app.app_context():
        assert session_of("").scalars(select(Announcement)).all() == []


@pytest.mark.parametrize("how", ["withdrawn", "over", "for others"])
def test_a_message_is_hidden_with_its_announcement(app: Flask, act_as: ActAs, how: str) -> None:
    key, _messages = announced(app)
    with app.app_context(), access.everything() as session:
        row = session.get_one(Announcement, key)
        if how == "withdrawn":
            announcements.withdraw(session, row, account_of("operator"), Place())
        elif how == "over":
            row.since = row.until = clock.today() - timedelta(days=1)
        else:
            row.roles = frozenset({Role.REVIEWER})
        session.commit()
    for who in ("publisher", "operator"):
        with act_as(who):
            assert seen(db.session()) == []
            assert notifications.unread_count(db.session()) == 0


def test_an_account_without_unit_sees_no_message_of_a_unit(app: Flask) -> None:
    """«= NULL» must not become «IS NULL»."""
    with app.app_context(), access.everything() as session:
        account = account_of("national")
        session.add(a_message(account_id=account.id, detail="x", organisation_id=account_of("agent").organisation_id))
        session.commit()
    with app.app_context():
        assert seen(session_of("national")) == []
        access.enter(Account(username="x", name="x", role=Role.PUBLISHER))
        assert seen(db.session()) == []
