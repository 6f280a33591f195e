"""Row security: rows from other sessions, changes of account, and that its listeners are what refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from models import access, clock
from models.access import Closed
from models.acts import filing
from models.application import Application
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.database import GuardedSession, db
from models.people.accounts import Account, Organisation
from models.vocabulary import Action, Role, Status
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.models.attempts import first_id, session_of
from tests.models.rows import MODELS, Model


def carrier(**where: Any) -> Carrier:
    """A new row of 载体信息."""
    return Carrier(position=9, specification="CD", quantity=1, unit="010", **where)


def insert_foreign_by_number(session: Session, foreign: int, _own: int) -> None:
    session.add(carrier(application_id=foreign))


def insert_foreign_by_merge(session: Session, foreign: int, _own: int) -> None:
    session.merge(carrier(application_id=foreign))


def detached(key: int) -> Application:
    """The foreign application with its carriers, loaded by a session that may see it, and detached from that."""
    with access.everything() as unrestricted:
        application = unrestricted.get_one(Application, key)
        assert application.carriers
        unrestricted.expunge_all()
    return application


def insert_foreign_by_object(session: Session, foreign: int, _own: int) -> None:
    session.add(carrier(application=detached(foreign)))


def append_to_foreign_list(session: Session, foreign: int, _own: int) -> None:
    application = detached(foreign)
    application.carriers.append(carrier())
    session.add(application)


def move_by_number(session: Session, foreign: int, own: int) -> None:
    session.get_one(Application, own).carriers[0].application_id = foreign


def move_by_object(session: Session, foreign: int, own: int) -> None:
    session.get_one(Application, own).carriers[0].application = detached(foreign)


def move_in_bulk(session: Session, foreign: int, own: int) -> None:
    for row in session.get_one(Application, own).carriers:
        row.application = None  # type: ignore[assignment]
        row.application_id = foreign


def change_the_owner(session: Session, foreign: int, _own: int) -> None:
    application = detached(foreign)
    application.title = "x"
    session.add(application)


def move_foreign_carriers(session: Session, foreign: int, own: int) -> None:
    application = session.get_one(Application, own)
    application.carriers.extend(detached(foreign).carriers)


@pytest.mark.parametrize("attempt", [
    insert_foreign_by_number, insert_foreign_by_merge, insert_foreign_by_object, append_to_foreign_list, move_by_number,
    move_by_object, move_in_bulk, change_the_owner, move_foreign_carriers,
])  # fmt: skip
def test_no_row_can_be_added_to_a_foreign_application(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, attempt: Any
) -> None:
    """AC1: by its number, by the object, by moving an own row there, or by carrying the object in."""
    foreign, own = make_application(by="publisher"), make_application(by="publisher2")
    before = stored_rows(foreign), stored_rows(own)
    with app.app_context():
        session = session_of("publisher2")
        with pytest.raises(Closed):
            insert_foreign_and_commit(session, attempt, foreign, own)
        session.rollback()
    assert (stored_rows(foreign), stored_rows(own)) == before


def insert_foreign_and_commit(session: Session, attempt: Any, foreign: int, own: int) -> None:
    attempt(session, foreign, own)
    session.commit()


@pytest.mark.parametrize("who", ["publisher2", "reviewer", "national", "operator", ""])
def test_an_application_in_another_name_is_refused(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, who: str
) -> None:
    """Only its owner adds an application, and its owner never changes, by SQL as little as by an act."""
    key = make_application(by="publisher")
    with app.app_context():
        session = session_of(who)
        publisher = session.scalars(select(Organisation).filter_by(name="江苏文艺音像出版社")).one()
        session.add(
            Application(
                number="SQ202699999999",
                status=Status.DRAFT,
                applicant_id=publisher.id,
                applicant_name=publisher.name,
                applicant_code=publisher.credit_code,
                created_at=clock.now(),
                changed_at=clock.now(),
            )
        )
        with pytest.raises(Closed):
            session.commit()
    assert stored_rows(key + 1)["application"] == []


def test_the_owner_of_an_application_cannot_be_changed(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """AD3: a forged form could otherwise give a row away."""
    key = make_application(by="publisher")
    before = stored_rows(key)
    with act_as("publisher2") as other:
        elsewhere = other.organisation_id
    with act_as("publisher"):
        db.session.get_one(Application, key).applicant_id = elsewhere
        with pytest.raises(Closed):
            db.session.commit()
    assert stored_rows(key) == before


def test_an_account_that_lacks_its_organisation_or_province_sees_nothing(
    app: Flask, make_application: MakeApplication
) -> None:
    """Closed by default: «= NULL» must not become «IS NULL», which is every draft and every deleted row."""
    key = make_application(by="publisher")
    with app.app_context(), access.everything() as session:
        filing.perform(session, Action.DELETE, session.get_one(Application, key), account_of("publisher"))
        session.commit()
    make_application(by="publisher")
    for role in Role:
        with app.app_context():
            access.enter(Account(username="x", name="x", role=role))
            assert db.session.scalars(select(Application)).all() == []
            assert db.session.scalars(select(TrailEntry)).all() == []


@pytest.mark.slow
def test_the_rule_of_the_first_account_is_not_cached_for_later_ones(
    app: Flask, make_application: MakeApplication
) -> None:
    """SQLAlchemy caches lambdas: a rule cached with its first account would show that account's rows to everybody."""
    keys = {who: make_application(by=who, status="filed") for who in ("publisher", "publisher2", "agent")}
    keys["reviewer2"] = keys["operator"] = keys[""] = 0
    for _ in range(2):
        for who, own in keys.items():
            with app.app_context():
                session = session_of(who)
                rows = [session.scalars(select(model)).all() for model in MODELS]
                assert [row.id for row in rows[0]] == ([own] if own else [])
                assert {row.application_id for group in rows[1:] for row in group} == ({own} if own else set())


def test_a_session_follows_the_account_that_entered_last(app: Flask, make_application: MakeApplication) -> None:
    make_application(by="publisher")
    with app.app_context():
        assert len(session_of("publisher").scalars(select(Application)).all()) == 1
        access.enter(account_of("publisher2"))
        assert db.session.scalars(select(Application)).all() == []
        access.enter(None)
        assert db.session.scalars(select(Application)).all() == []


def test_a_lazy_load_follows_the_rule_of_its_session(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application(by="publisher", status="filed", carriers=2)
    with act_as("publisher"):
        application = db.session.get_one(Application, key)
        assert len(application.carriers) == 2
        assert application.certificate is not None
        assert application.certificate.application is application


def test_an_unrestricted_session_lifts_no_other_session_s_rule(app: Flask, make_application: MakeApplication) -> None:
    for who in ("publisher", "publisher2", "agent"):
        make_application(by=who)
    with app.app_context():
        session = session_of("publisher")
        with access.everything() as unrestricted:
            assert len(unrestricted.scalars(select(Application)).all()) == 3
            assert len({row.application_id for row in unrestricted.scalars(select(TrailEntry))}) == 3
        assert len(session.scalars(select(Application)).all()) == 1


@contextmanager
def without_listener(name: str, listener: Any) -> Iterator[None]:
    """Remove a listener of the session inside the block."""
    event.remove(GuardedSession, name, listener)
    try:
        yield
    finally:
        event.listen(GuardedSession, name, listener)


@pytest.mark.parametrize("model", MODELS)
def test_without_the_guard_the_attack_succeeds(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, model: Model
) -> None:
    """AD2: this listener alone hides the row."""
    key = first_id(stored_rows(make_application(by="publisher", status="filed")), model)
    with app.app_context():
        assert session_of("publisher2").get(model, key) is None
    with without_listener("do_orm_execute", access.reading.add_reading_rules), app.app_context():
        assert session_of("publisher2").get(model, key) is not None
    with app.app_context():
        assert session_of("publisher2").get(model, key) is None


def test_without_the_write_guard_a_foreign_row_is_inserted(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AD2: an INSERT does not fire do_orm_execute; before_flush is what refuses it."""
    key = make_application(by="publisher")
    with without_listener("before_flush", access.writing.check_writes), app.app_context():
        session = session_of("publisher2")
        insert_foreign_by_number(session, key, 0)
        session.commit()
    assert len(stored_rows(key)["carrier"]) == 2
