"""Numbers assigned in parallel have no gaps or duplicates, and the year of Beijing."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.acts import drafts, filing
from models.application import Application
from models.certificate import Certificate
from models.clock import SHANGHAI
from models.database import db
from models.numbering import Serial, certificate_number, is_certificate_number
from models.vocabulary import Action
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication
from tests.models.acts.at_once import Work, at_once
from views.resources import office


@pytest.mark.slow
def test_grants_over_provinces_are_numbered_without_gaps_or_doubles(
    app: Flask, make_application: MakeApplication, prepare_act: Callable[..., Work], make_publisher: Callable[..., str]
) -> None:
    """RC2, RC3: twelve at once in three provinces; each number has its form and its check character."""
    publishers = {"320000": "publisher", "440000": make_publisher("440000"), "110000": make_publisher("110000")}
    desks = {"320000": "reviewer", "440000": "reviewer2", "110000": "desk110000"}
    cases = [(make_application(by=publishers[at], status="pending"), desks[at]) for at in publishers for _ in range(4)]
    outcome = at_once(*[prepare_act("grant", key, desk) for key, desk in cases])
    assert outcome == ["grant"] * 12
    with app.app_context(), access.everything() as session:
        numbers = session.scalars(select(Certificate.number)).all()
    year = clock.today().year
    for province in publishers:
        own = sorted(number for number in numbers if number.startswith(f"Z{province[:2]}{year}"))
        assert [number[7:13] for number in own] == ["000001", "000002", "000003", "000004"]
    assert all(is_certificate_number(number) for number in numbers)


def test_a_grant_that_fails_gives_its_number_to_the_next(
    app: Flask, make_application: MakeApplication, act_as: ActAs, prepare_act: Callable[..., Work]
) -> None:
    """Design 2.9: without gaps; the number goes back with the act that took it."""
    first, second = make_application(status="pending"), make_application(status="pending")
    with act_as("reviewer") as reviewer:
        filing.perform(db.session(), Action.GRANT, db.session.get_one(Application, first), reviewer, office=office())
        db.session.rollback()
    assert prepare_act("grant", second, "reviewer")() == "grant"
    with app.app_context(), access.everything() as session:
        [number] = session.scalars(select(Certificate.number))
        assert number[7:13] == "000001"


def test_drafts_created_in_parallel_have_different_numbers(app: Flask) -> None:
    def begin() -> str:
        with app.app_context():
            filer = account_of("publisher")
            access.enter(filer)
            number = drafts.start(db.session(), filer).number
            db.session.commit()
            return number

    numbers = [str(number) for number in at_once(*[begin] * 10)]
    assert sorted(numbers) == [f"SQ{clock.today().year}{n:08d}" for n in range(1, 11)]


def test_every_part_of_a_serial_key_is_required() -> None:
    """RC3: a unique constraint does not apply to rows with an empty part."""
    assert not any(column.nullable for column in Serial.__table__.primary_key.columns)
    assert not Certificate.__table__.c.number.nullable
    assert not Application.__table__.c.number.nullable


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "year"),
    [
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=SHANGHAI), 2026),
        (datetime(2027, 1, 1, 0, 0, 0, tzinfo=SHANGHAI), 2027),
        (datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC), 2026),
        (datetime(2026, 12, 31, 16, 0, 0, tzinfo=UTC), 2027),
    ],
)
def test_the_year_of_a_number_follows_beijing_time(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch, moment: datetime, year: int
) -> None:
    """RC4, DL4: the process stays up over new year; midnight is Asia/Shanghai's."""
    first = make_application(status="filed")
    monkeypatch.setattr(clock, "now", lambda: moment.astimezone(SHANGHAI))
    second = make_application(status="filed")
    with app.app_context(), access.everything() as session:
        before, after = session.get_one(Application, first), session.get_one(Application, second)
        assert before.certificate is not None
        assert after.certificate is not None
        assert after.number.startswith(f"SQ{year}")
        assert after.certificate.number.startswith(f"Z32{year}")
        assert after.certificate.issued_on.year == year
        assert after.certificate.issued_on == after.applied_on
        fresh_year = before.certificate.issued_on.year != year
        assert after.certificate.number[7:13] == ("000001" if fresh_year else "000002")


def test_two_sessions_take_numbers_in_turn(app: Flask) -> None:
    """RC3: the second waits for the first, and then takes the next."""

    def next_number() -> str:
        with app.app_context(), access.everything() as session:
            number = certificate_number(session, "320000", clock.today())
            session.commit()
            return number

    assert len(set(at_once(*[next_number] * 8))) == 8
