"""Synthetic applications are such as the acts would have left, and real acts go on after them."""

import json

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import access, clock, deadlines, numbering, workflow
from models.application import Application, trail
from models.application.sort_keys import sort_key
from models.certificate import Certificate, frozen
from models.customs import CustomsMessage
from models.database import db
from models.people.accounts import Account
from models.text import search_key
from models.vocabulary import Action
from tests.bench import bulk, cases
from tests.conftest import MakeApplication

WANTED = 300


@pytest.fixture
def filled(app: Flask) -> Flask:
    """A register with three hundred synthetic applications."""
    with app.app_context(), access.everything() as session:
        bulk.fill(session, WANTED)
    return app


def test_bulk_applications_equal_those_made_by_real_acts(filled: Flask) -> None:
    with filled.app_context(), access.everything() as session:
        assert list(trail.broken(session)) == []
        assert list(deadlines.differing(session)) == []
        cases = session.scalars(select(Application)).all()
        assert len(cases) == WANTED
        for case in cases:
            assert (case.trail[-1].after, len(case.trail)) == (case.status, case.version)
            assert (case.certificate is not None) == (case.status in workflow.ISSUED)
            assert case.submissions == sum(entry.act == Action.SUBMIT for entry in case.trail)
            assert (case.due_on is None) == (case.status not in workflow.AWAITING)
            assert (case.applied_on is None) == (case.status in workflow.PRIVATE)
            assert case.title_key == search_key(case.title or "")
            assert (case.title_sort, case.publisher_sort) == (
                sort_key(case.title or ""),
                sort_key(case.publisher_name or ""),
            )
            assert case.carriers
            for before, entry in zip([None, *case.trail], case.trail, strict=False):
                assert entry.before == (before and before.after)


def test_a_bulk_certificate_has_the_snapshot_of_a_real_grant(filled: Flask) -> None:
    with filled.app_context(), access.everything() as session:
        certificates = session.scalars(select(Certificate)).all()
        assert len(certificates) > WANTED / 2
        for certificate in certificates:
            assert json.loads(certificate.content) == frozen(certificate.application)
            assert numbering.is_certificate_number(certificate.number)


def test_every_message_belongs_to_an_act_that_customs_is_told(filled: Flask) -> None:
    with filled.app_context(), access.everything() as session:
        messages = dict(session.execute(select(CustomsMessage.act, func.count()).group_by(CustomsMessage.act)).all())
        done = dict(session.execute(select(trail.TrailEntry.act, func.count()).group_by(trail.TrailEntry.act)).all())
        for act in (Action.GRANT, Action.RESEND, Action.REVOKE):
            assert messages.get(act, 0) == done.get(act.value, 0)
        assert set(messages) <= {Action.GRANT, Action.RESEND, Action.REVOKE}


def test_bulk_applications_are_spread_over_provinces_statuses_and_years(filled: Flask) -> None:
    with filled.app_context(), access.everything() as session:
        assert len(set(session.scalars(select(Application.province)))) >= 5
        assert len(set(session.scalars(select(Application.status)))) >= 6
        assert len({moment.year for moment in session.scalars(select(Application.created_at))}) >= 3


def test_real_acts_go_on_with_the_next_numbers(filled: Flask, make_application: MakeApplication) -> None:
    """RC3: numbers that were put in together leave no gap and collide with none."""
    key = make_application(status="filed")
    with filled.app_context(), access.everything() as session:
        application = session.get_one(Application, key)
        assert application.certificate
        newest = session.scalar(select(func.max(Application.number)).where(Application.id != key))
        assert newest is None or application.number > newest
        series = application.certificate.number[:7]
        numbers = sorted(session.scalars(select(Certificate.number).where(Certificate.number.startswith(series))))
        assert [int(number[7:13]) for number in numbers] == list(range(1, len(numbers) + 1))


def test_a_second_fill_adds_as_many_applications_for_the_same_publishers(filled: Flask) -> None:
    with filled.app_context(), access.everything() as session:
        bulk.fill(session, WANTED)
        assert session.scalar(select(func.count()).select_from(Application)) == 2 * WANTED
        people = session.scalars(select(Account.username).where(Account.username.startswith("bulk-"))).all()
        assert len(people) == len(set(people))


def test_the_invented_people_cannot_sign_in(filled: Flask) -> None:
    with filled.app_context():
        invented = db.session.scalars(select(Account).where(Account.username.startswith("bulk-"))).all()
        assert invented
        assert not any(person.is_active for person in invented)


def test_the_spread_over_years_is_the_same_for_ten_rows_and_a_million() -> None:
    """A product of days and rows passes what a timedelta holds at some 900,000 rows; a share never does."""
    now = clock.now()
    assert cases.begun_at(now, 0) == now - cases.PAST
    assert cases.begun_at(now, 999_999.5 / 1_000_000) < now
