"""Row security: every way in SQLAlchemy to reach a row, tried by everybody who must not see it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, InvalidRequestError, NoResultFound
from sqlalchemy.orm import Session

from models import access
from models.access import Closed
from models.accounts import Account
from models.db import db
from tests.conftest import Making, Record, Recording
from tests.models.ways import FROM_THE_APPLICATION, MODELS, READS, WRITES, Children

# Who looks, and at what: another press, another province, the nation at a draft, the operator, a session of nobody …
STRANGERS = [
    ("publisher2", "publisher", "customs_received"),
    ("agent", "publisher", "filed"),
    ("publisher", "agent", "pending"),
    ("reviewer2", "publisher", "filed"),
    ("reviewer", "publisher", "draft"),
    ("national", "publisher", "returned"),
    ("operator", "publisher", "filed"),
    ("", "publisher", "filed"),
]
INSIDERS = [
    ("publisher", "publisher", "filed"),
    ("agent", "agent", "filed"),
    ("reviewer", "publisher", "filed"),
    ("national", "publisher", "filed"),
]
SHUT = (Closed, NoResultFound, RuntimeError, InvalidRequestError)


def entered(username: str) -> Session:
    """A session that serves this person, or one that nobody entered."""
    if username:
        access.enter(db.session.scalars(select(Account).filter_by(username=username)).one())
    return db.session()


def keys(record: Record) -> dict[type[Any], list[int]]:
    """The numbers of the rows, model by model."""
    return {model: [row["id"] for row in record[model.__tablename__]] for model in MODELS}


def found(way: Callable[..., Any], *asked: Any) -> Any:
    """What the way brings back; None where it is refused."""
    try:
        return way(*asked) or None
    except SHUT:
        return None


@pytest.mark.parametrize(("who", "whose", "status"), STRANGERS)
def test_no_way_reads_a_stranger_s_row(
    app: Flask, make_application: Making, on_record: Recording, subtests: Any, who: str, whose: str, status: str
) -> None:
    """AD1, AC1, AC3: nothing is found, whatever the statement looks like."""
    key = make_application(by=whose, status=status)
    rows = keys(on_record(key))
    before = on_record(key)
    for name, way in READS.items():
        for model, numbers in rows.items():
            with subtests.test(way=name, model=model.__name__), app.app_context():
                assert all(found(way, entered(who), model, number) is None for number in numbers[:1])
    for name, way in FROM_THE_APPLICATION.items():
        for model in Children:
            with subtests.test(way=name, model=model.__name__), app.app_context():
                assert found(way, entered(who), model, key) is None
    assert on_record(key) == before


@pytest.mark.parametrize(("who", "whose", "status"), STRANGERS)
def test_no_way_writes_a_stranger_s_row(
    app: Flask, make_application: Making, on_record: Recording, subtests: Any, who: str, whose: str, status: str
) -> None:
    """AC1: and nothing is written, changed or erased, even when the caller commits."""
    key = make_application(by=whose, status=status)
    before = on_record(key)
    for name, way in WRITES.items():
        for model, numbers in keys(before).items():
            with subtests.test(way=name, model=model.__name__), app.app_context():
                session = entered(who)
                for number in numbers[:1]:
                    try:
                        way(session, model, number)
                        session.commit()
                    except (*SHUT, IntegrityError):
                        session.rollback()
                assert on_record(key) == before


@pytest.mark.parametrize(("who", "whose", "status"), INSIDERS)
def test_whoever_may_see_a_row_finds_it_by_every_way_that_is_open(
    app: Flask, make_application: Making, on_record: Recording, who: str, whose: str, status: str
) -> None:
    """AC4: the positive case; a way that never finds anything proves nothing."""
    rows = keys(on_record(make_application(by=whose, status=status)))
    blind = {
        (name, model.__name__)
        for name, way in READS.items()
        for model, numbers in rows.items()
        if not _opens(app, way, who, model, numbers[0])
    }
    assert {name for name, _ in blind} == {
        "columns of the table",
        "core",
        "core count",
        "exists",
        "from_statement of text",
        "from_statement of a union",
        "text",
    }


def _opens(app: Flask, way: Callable[..., Any], who: str, model: type[Any], number: int) -> bool:
    with app.app_context():
        return found(way, entered(who), model, number) is not None
