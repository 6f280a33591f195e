"""办理过程: appended, sealed, and able to tell when somebody has been at it."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from models import access
from models.acts import filing
from models.application import Application, trail
from models.application.trail import TrailEntry
from models.database import db, triggers
from models.database.triggers import SENTENCE
from models.vocabulary import Action, Step
from tests.conftest import Acting, Making, Recording

Tampering = Callable[[str, list[int]], None]


@pytest.mark.parametrize("column", ["opinion", "actor_name", "after", "at", "changes", "seal"])
def test_an_entry_cannot_be_changed(
    make_application: Making, acting: Acting, on_record: Recording, column: str
) -> None:
    """AD8, AU1: by nobody, in no session."""
    key = make_application(status="pending")
    before = on_record(key)
    with acting("reviewer"):
        entry, other = db.session.scalars(select(TrailEntry).limit(2)).all()
        setattr(
            entry,
            column,
            {"x": 1} if column == "changes" else "另一句" if column == "opinion" else getattr(other, column),
        )
        if column in {"actor_name", "after", "at"}:
            entry.opinion = "另一句"
        with pytest.raises(DBAPIError, match=SENTENCE):
            db.session.commit()
        db.session.rollback()
    assert on_record(key) == before


def test_an_entry_cannot_be_erased(app: Flask, make_application: Making, on_record: Recording) -> None:
    """AU1: not even through the door for jobs."""
    key = make_application()
    before = on_record(key)
    with app.app_context(), access.everything() as session:
        session.delete(session.scalars(select(TrailEntry)).first())
        with pytest.raises(DBAPIError, match=SENTENCE):
            session.commit()
    assert on_record(key) == before


def test_every_entry_is_sealed_to_the_one_before(app: Flask, make_application: Making) -> None:
    first, second = make_application(status="customs_received"), make_application(by="agent", status="returned")
    with app.app_context(), access.everything() as session:
        assert list(trail.broken(session)) == []
        for key in (first, second):
            entries = session.get_one(Application, key).trail
            assert entries[0].previous == "0" * 64
            assert [entry.previous for entry in entries[1:]] == [entry.seal for entry in entries[:-1]]
            assert len({entry.seal for entry in entries}) == len(entries)


def test_what_an_act_was_is_read_back_as_a_word(make_application: Making, acting: Acting) -> None:
    key = make_application(status="customs_failed")
    with acting("reviewer"):
        words = [entry.what for entry in db.session.get_one(Application, key).trail]
    assert words[0] is Step.START
    assert words[-3:] == [Action.SUBMIT, Action.GRANT, Step.CUSTOMS_REJECTED]


def test_the_name_of_an_actor_stays_as_it_was_then(make_application: Making, acting: Acting) -> None:
    """People marry and presses are renamed; what was signed was signed under the old name."""
    key = make_application(status="pending")
    with acting("publisher") as filer:
        assert filer.organisation is not None
        filer.name, filer.organisation.name = "王慧", "江苏新名音像出版社"
        db.session.commit()
    with acting("publisher"):
        names = {entry.actor_name for entry in db.session.get_one(Application, key).trail}
    assert names == {"王敏（江苏文艺音像出版社）"}


@pytest.fixture
def tampered(app: Flask, make_application: Making) -> Callable[[str], tuple[list[int], list[int]]]:
    """Runs raw SQL, with the guards down, on the trail of one of two applications: its entries, and the broken ones.

    In the SQL, {a}, {b} and {c} are the numbers of its second, third and fourth entry.
    """
    make_application(by="agent", status="pending")
    key = make_application(status="pending")

    def run(statement: str) -> tuple[list[int], list[int]]:
        with app.app_context(), access.everything() as session:
            query = select(TrailEntry.id).filter_by(application_id=key).order_by(TrailEntry.id)
            entries = list(session.scalars(query))
        _start, a, b, c, *_ = entries
        with app.app_context(), db.engine.begin() as connection:
            triggers.remove(connection)
            for part in statement.format(a=a, b=b, c=c, key=key).split(";"):
                connection.execute(text(part))
            triggers.install(connection)
        with app.app_context(), access.everything() as session:
            return entries, [entry.id for entry in trail.broken(session)]

    return run


@pytest.mark.parametrize(
    "change",
    [
        "opinion = '同意'",
        "actor_name = '无名氏'",
        "actor_id = 5",
        "act = 'delete'",
        "after = 'filed'",
        "role = 'reviewer'",
        "changes = '{{}}'",
        "seal = 'x' || substr(seal, 2)",
    ],
)
def test_a_changed_entry_is_found(tampered: Callable[[str], tuple[list[int], list[int]]], change: str) -> None:
    """AU1: the chain verifier finds an edit."""
    entries, broken = tampered(f"UPDATE trail_entry SET {change} WHERE id = {{b}}")
    assert entries[2] in broken


def test_a_missing_entry_is_found(tampered: Callable[[str], tuple[list[int], list[int]]]) -> None:
    """AU1: the chain verifier finds a deletion, at the entry that lost its predecessor."""
    entries, broken = tampered("DELETE FROM trail_entry WHERE id = {b}")
    assert broken == [entries[3]]


@pytest.mark.slow
def test_a_missing_first_entry_is_found(tampered: Callable[[str], tuple[list[int], list[int]]]) -> None:
    entries, broken = tampered("DELETE FROM trail_entry WHERE id = {a} - 1")
    assert broken == [entries[1]]


def test_a_missing_last_entry_is_found(
    app: Flask, make_application: Making, tampered: Callable[[str], tuple[list[int], list[int]]]
) -> None:
    """AU1: nothing comes after it, so it is missed by what the application itself says."""
    entries, broken = tampered("DELETE FROM trail_entry WHERE application_id = {key} AND act = 'submit'")
    assert broken == [entries[-2]]


def test_swapped_entries_are_found(tampered: Callable[[str], tuple[list[int], list[int]]]) -> None:
    """AU1: the chain verifier finds a swap, whole as both entries are."""
    entries, broken = tampered(
        "UPDATE trail_entry SET id = -1 WHERE id = {b};UPDATE trail_entry SET id = {b} WHERE id = {c};"
        "UPDATE trail_entry SET id = {c} WHERE id = -1"
    )
    assert set(broken) >= {entries[2], entries[3]}


def test_an_inserted_entry_is_found(tampered: Callable[[str], tuple[list[int], list[int]]]) -> None:
    """AU1: the chain verifier finds an insertion."""
    _entries, broken = tampered(
        "INSERT INTO trail_entry (id, at, actor_name, act, after, previous, seal, application_id)"
        " SELECT 9999, at, actor_name, act, after, seal, 'x' || substr(seal, 2), application_id"
        " FROM trail_entry WHERE id = {c}"
    )
    assert 9999 in broken


def test_an_entry_moved_to_another_application_is_found(
    tampered: Callable[[str], tuple[list[int], list[int]]],
) -> None:
    entries, broken = tampered("UPDATE trail_entry SET application_id = {key} - 1 WHERE id = {c}")
    assert entries[3] in broken


def test_an_act_that_is_rolled_back_leaves_no_entry(
    make_application: Making, acting: Acting, on_record: Recording
) -> None:
    """AU1: act and entry are one transaction."""
    key = make_application(status="pending")
    before = on_record(key)
    with acting("reviewer") as reviewer:
        application = db.session.get_one(Application, key)
        filing.perform(db.session(), Action.RETURN, application, reviewer, "请补充")
        assert len(application.trail) == len(before["trail_entry"]) + 1
        db.session.rollback()
    assert on_record(key) == before
