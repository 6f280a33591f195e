"""办理过程: entries are appended and sealed, and tampering is detected."""

import hashlib
from collections.abc import Callable
from subprocess import run

import pytest
from click import ClickException
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import create_app
from models import access
from models.acts import filing
from models.application import Application, trail
from models.application.trail import TrailEntry
from models.database import db, triggers
from models.database.triggers import SENTENCE
from models.people.accounts import Account
from models.vocabulary import Action, Step
from tests.apps import engine_of_owner, seal_by, without_triggers
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication, StoredRows

REFUSED = f"{SENTENCE}|permission denied"  # the latter under row-level security
Tampering = Callable[[str, list[int]], None]


@pytest.mark.parametrize("column", ["opinion", "actor_name", "after", "at", "changes", "seal"])
def test_an_entry_cannot_be_changed(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows, column: str
) -> None:
    """AD8, AU1: by no account, in no session."""
    key = make_application(status="pending")
    before = stored_rows(key)
    with act_as("reviewer"):
        entry, other = db.session.scalars(select(TrailEntry).limit(2)).all()
        setattr(
            entry,
            column,
            {"x": 1} if column == "changes" else "另一句" if column == "opinion" else getattr(other, column),
        )
        if column in {"actor_name", "after", "at"}:
            entry.opinion = "另一句"
        with pytest.raises(DBAPIError, match=REFUSED):
            db.session.commit()
        db.session.rollback()
    assert stored_rows(key) == before


def test_an_entry_cannot_be_erased(app: Flask, make_application: MakeApplication, stored_rows: StoredRows) -> None:
    """AU1: not even in the session for jobs."""
    key = make_application()
    before = stored_rows(key)
    with app.app_context(), access.everything() as session:
        session.delete(session.scalars(select(TrailEntry)).first())
        with pytest.raises(DBAPIError, match=REFUSED):
            session.commit()
    assert stored_rows(key) == before


def test_every_entry_contains_the_hash_of_the_one_before(app: Flask, make_application: MakeApplication) -> None:
    first, second = make_application(status="customs_received"), make_application(by="agent", status="returned")
    with app.app_context(), access.everything() as session:
        assert list(trail.broken(session)) == []
        for key in (first, second):
            entries = session.get_one(Application, key).trail
            assert entries[0].previous == "0" * 64
            assert [entry.previous for entry in entries[1:]] == [entry.seal for entry in entries[:-1]]
            assert len({entry.seal for entry in entries}) == len(entries)


def test_the_act_of_an_entry_is_read_back_as_an_enum_value(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application(status="customs_failed")
    with act_as("reviewer"):
        words = [entry.what for entry in db.session.get_one(Application, key).trail]
    assert words[0] is Step.START
    assert words[-3:] == [Action.SUBMIT, Action.GRANT, Step.CUSTOMS_REJECTED]


def test_an_entry_keeps_the_name_of_its_actor(make_application: MakeApplication, act_as: ActAs) -> None:
    """People marry and publishers are renamed; an entry keeps the name that was signed."""
    key = make_application(status="pending")
    with act_as("publisher") as filer, access.everything() as session:
        renamed = session.get_one(Account, filer.id)
        assert renamed.organisation is not None
        renamed.name, renamed.organisation.name = "王慧", "江苏新名音像出版社"
        session.commit()
    with act_as("publisher"):
        names = {entry.actor_name for entry in db.session.get_one(Application, key).trail}
    assert names == {"王敏（江苏文艺音像出版社）"}


@pytest.fixture
def tamper(app: Flask, make_application: MakeApplication) -> Callable[[str], tuple[list[int], list[int]]]:
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
        with app.app_context(), engine_of_owner(app).begin() as connection, without_triggers(connection):
            for part in statement.format(a=a, b=b, c=c, key=key).split(";"):
                connection.execute(text(part))
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
def test_a_changed_entry_is_found(tamper: Callable[[str], tuple[list[int], list[int]]], change: str) -> None:
    """AU1: the chain verifier finds an edit."""
    entries, broken = tamper(f"UPDATE trail_entry SET {change} WHERE id = {{b}}")
    assert entries[2] in broken


def test_a_missing_entry_is_found(tamper: Callable[[str], tuple[list[int], list[int]]]) -> None:
    """AU1: the chain verifier finds a deletion, at the entry that lost its predecessor."""
    entries, broken = tamper("DELETE FROM trail_entry WHERE id = {b}")
    assert broken == [entries[3]]


@pytest.mark.slow
def test_a_missing_first_entry_is_found(tamper: Callable[[str], tuple[list[int], list[int]]]) -> None:
    entries, broken = tamper("DELETE FROM trail_entry WHERE id = {a} - 1")
    assert broken == [entries[1]]


def test_a_missing_last_entry_is_found(
    app: Flask, make_application: MakeApplication, tamper: Callable[[str], tuple[list[int], list[int]]]
) -> None:
    """AU1: no entry follows it, so the application's own last_seal shows that it is missing."""
    entries, broken = tamper("DELETE FROM trail_entry WHERE application_id = {key} AND act = 'submit'")
    assert broken == [entries[-2]]


def test_an_act_after_a_missing_last_entry_does_not_hide_it(
    act_as: ActAs, tamper: Callable[[str], tuple[list[int], list[int]]]
) -> None:
    """Its entry follows the seal that the application holds, which no entry has any more."""
    entries, _broken = tamper("DELETE FROM trail_entry WHERE application_id = {key} AND act = 'submit'")
    with act_as("reviewer") as reviewer, access.everything() as session:
        application = db.session.get_one(TrailEntry, entries[0]).application
        filing.perform(db.session(), Action.RETURN, application, reviewer, "请补正")
        db.session.commit()
        assert [entry.id for entry in trail.broken(session)] == [trail.last_id(session, application.id)]


def test_swapped_entries_are_found(tamper: Callable[[str], tuple[list[int], list[int]]]) -> None:
    """AU1: the chain verifier finds a swap, whole as both entries are."""
    entries, broken = tamper(
        "UPDATE trail_entry SET id = -1 WHERE id = {b};UPDATE trail_entry SET id = {b} WHERE id = {c};"
        "UPDATE trail_entry SET id = {c} WHERE id = -1"
    )
    assert set(broken) >= {entries[2], entries[3]}


def test_an_inserted_entry_is_found(tamper: Callable[[str], tuple[list[int], list[int]]]) -> None:
    """AU1: the chain verifier finds an insertion."""
    _entries, broken = tamper(
        "INSERT INTO trail_entry (id, at, actor_name, act, after, previous, seal, application_id)"
        " SELECT 9999, at, actor_name, act, after, seal, 'x' || substr(seal, 2), application_id"
        " FROM trail_entry WHERE id = {c}"
    )
    assert 9999 in broken


def test_an_entry_moved_to_another_application_is_found(
    tamper: Callable[[str], tuple[list[int], list[int]]],
) -> None:
    entries, broken = tamper("UPDATE trail_entry SET application_id = {key} - 1 WHERE id = {c}")
    assert entries[3] in broken


def test_an_act_that_is_rolled_back_leaves_no_entry(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """AU1: act and entry are one transaction."""
    key = make_application(status="pending")
    before = stored_rows(key)
    with act_as("reviewer") as reviewer:
        application = db.session.get_one(Application, key)
        filing.perform(db.session(), Action.RETURN, application, reviewer, "请补充")
        assert len(application.trail) == len(before["trail_entry"]) + 1
        db.session.rollback()
    assert stored_rows(key) == before


def test_new_entries_are_sealed_by_sm3_where_it_is_set_and_old_ones_still_verify(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """GB/T 32905 by OpenSSL; each entry names its hash function, and the chain goes on across the change."""
    key = make_application(status="draft")
    seal_by(app, "sm3")
    assert client_as("publisher").post("/applications/submit/", data={"id": key}).status_code == 303
    seal_by(app, "sha256")
    assert client_as("reviewer").post("/review/take/", data={"id": key}).status_code == 303
    with app.app_context(), access.everything() as session:
        entries = session.get_one(Application, key).trail
        names = [entry.algorithm for entry in entries]
        assert names == [None] * (len(entries) - 2) + ["sm3", None]
        submitted = entries[-2]
        output = run(
            ["openssl", "dgst", "-sm3", "-r"], input=submitted.content().encode(), capture_output=True, check=True
        )
        assert output.stdout.split()[0].decode() == submitted.seal
        assert entries[-1].previous == submitted.seal and list(trail.broken(session)) == []


def test_another_hash_function_is_not_believed(app: Flask, make_application: MakeApplication) -> None:
    """Neither a weaker one nor an unknown one."""
    make_application(status="pending")
    for name, seal in (("md5", "md5"), ("sm3", None), ("nothing", None)):
        with app.app_context(), engine_of_owner(app).connect() as connection:
            triggers.remove(connection)
            entry = connection.execute(select(TrailEntry.id).limit(1)).scalar_one()
            connection.execute(update(TrailEntry).where(TrailEntry.id == entry).values(algorithm=name))
            with Session(connection) as session:
                if seal:
                    found = session.get_one(TrailEntry, entry)
                    found.seal = hashlib.new(seal, found.content().encode()).hexdigest()
                assert next(each.id for each in trail.broken(session)) == entry
            connection.rollback()


@pytest.mark.parametrize("name", ["md5", "", "SM3"])
def test_only_these_two_can_be_set(name: str) -> None:
    with pytest.raises(ClickException, match="FILING_SEAL_ALGORITHM 应为 sha256 或 sm3"):
        create_app({"SEAL_ALGORITHM": name})
