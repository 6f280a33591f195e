"""The database: exact decimals, Beijing time, references, constraint names."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import Column, MetaData, String, Table, delete, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from models.application import Application
from models.clock import SHANGHAI, Moment
from models.database import Base, Exact, db
from models.text import search_key
from models.vocabulary import Role, Status, Word, WordColumn
from tests.conftest import MakeApplication

SCRATCH = Table("scratch", MetaData(), Column("n", Exact), Column("at", Moment), Column("word", WordColumn(Status)))


@pytest.fixture
def scratch_table(app: Flask) -> Iterator[None]:
    """A table for one test."""
    with app.app_context():
        SCRATCH.create(db.engine)
    yield
    with app.app_context():
        SCRATCH.drop(db.engine)


def stored(app: Flask, **values: object) -> tuple[object, ...]:
    """Write `values` into the scrap table and read the row back."""
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(delete(SCRATCH))
        connection.execute(insert(SCRATCH).values(**values))
        row = connection.execute(select(SCRATCH)).one()
    return tuple(row)


@pytest.mark.usefixtures("scratch_table")
@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("1000", "1000"),
        ("1000.00000", "1000"),
        ("0.5", "0.5"),
        ("0.50", "0.5"),
        ("0.1", "0.1"),
        ("0.00001", "0.00001"),
        ("1E+3", "1000"),
        ("1234567890123456789.12345", "1234567890123456789.12345"),
    ],
)
def test_a_decimal_is_read_back_as_the_same_number_and_the_same_text(app: Flask, given: str, read: str) -> None:
    """CU9: never a float; the certificate shows the same digits on both databases."""
    assert str(stored(app, n=Decimal(given))[0]) == read


@pytest.mark.usefixtures("scratch_table")
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 12, 31, 23, 30, tzinfo=SHANGHAI),
        datetime(2027, 1, 1, 0, 30, tzinfo=SHANGHAI),
        datetime(2026, 12, 31, 16, 30, 1, 999999, tzinfo=UTC),
    ],
)
def test_a_moment_is_read_back_in_beijing_time(app: Flask, moment: datetime) -> None:
    """DL4: half an hour before and after midnight."""
    read = stored(app, at=moment)[1]
    assert isinstance(read, datetime)
    assert read == moment
    assert read.utcoffset() == moment.astimezone(SHANGHAI).utcoffset()
    assert read.date() == moment.astimezone(SHANGHAI).date()


@pytest.mark.usefixtures("scratch_table")
def test_a_word_is_stored_as_its_value_and_an_unknown_one_is_refused(app: Flask) -> None:
    assert stored(app, word=Status.CUSTOMS_RECEIVED)[2] is Status.CUSTOMS_RECEIVED
    assert stored(app, word="pending")[2] is Status.PENDING
    with pytest.raises(Exception, match="approved"):
        stored(app, word="approved")


def test_stored_words_are_short_and_plain() -> None:
    for words in Word.__subclasses__():
        assert all(word.value.isascii() and len(word.value) <= 32 and str(word.label) for word in words)
    assert {role.value for role in Role} == {"publisher", "reviewer", "national", "operator"}


def test_every_connection_is_durable_and_enforces_foreign_keys(app: Flask) -> None:
    """SQLite: a commit is on disk when it returns; foreign keys hold; readers do not wait for a writer."""
    with app.app_context(), db.engine.connect() as connection:
        if db.engine.dialect.name != "sqlite":
            assert connection.scalar(text("SHOW timezone")) == "Asia/Shanghai"
            return
        pragmas = [
            connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")
        ]
        assert pragmas == ["wal", 1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("table", ["organisation", "account", "application", "certificate"])
def test_a_referenced_row_cannot_be_deleted(app: Flask, make_application: MakeApplication, table: str) -> None:
    """AD9: in another system, deleting a user deleted the submissions too."""
    make_application(status="filed")
    with app.app_context(), db.engine.connect() as connection:
        with pytest.raises((IntegrityError, DBAPIError)):
            connection.execute(text(f"DELETE FROM {table} WHERE id = 1"))
        connection.rollback()
        assert connection.scalar(text(f"SELECT count(*) FROM {table} WHERE id = 1")) == 1


def test_every_foreign_key_restricts_deletion() -> None:
    """AD9: by declaration, in every table."""
    references = [key for table in Base.metadata.tables.values() for key in table.foreign_keys]
    assert references
    assert {key.ondelete for key in references} == {"RESTRICT"}


def test_every_constraint_has_a_name(app: Flask) -> None:
    """A migration can drop only a named constraint, and needs the same name on both databases."""
    with app.app_context():
        inspector = inspect(db.engine)
        for table in Base.metadata.tables:
            assert all(key["name"] for key in inspector.get_foreign_keys(table))
            assert all(unique["name"] for unique in inspector.get_unique_constraints(table))


@pytest.mark.parametrize(
    ("title", "asked"),
    [("ＤＶＤ 精选", "dvd"), ("Straße", "STRASSE"), ("㍿", "株式会社"), ("𠮷祥", "𠮷"), ("a\0b", "ab"), ("Ⅳ", "iv")],
)
def test_a_title_is_found_in_any_width_and_case(title: str, asked: str) -> None:
    assert search_key(asked) in search_key(title)
    assert Application(title=title).title_key == search_key(title)


def test_the_scope_columns_follow_the_status(app: Flask, make_application: MakeApplication) -> None:
    """One computed column for each role: no code has to set it."""
    key = make_application(status="draft")
    filed = make_application(status="filed")
    with app.app_context(), db.engine.connect() as connection:
        columns = text("SELECT owner_id, desk, issued FROM application WHERE id = :id")
        assert tuple(connection.execute(columns, {"id": key}).one()) == (1, None, None)
        assert tuple(connection.execute(columns, {"id": filed}).one()) == (1, "320000", 1)


def test_a_code_point_beyond_the_bmp_survives(app: Flask) -> None:
    """CU10: byte for byte."""
    table = Table("stones", MetaData(), Column("name", String(50)))
    name = "𠮷\U00030000㛃𬀩 “全角”"
    with app.app_context(), db.engine.begin() as connection:
        table.drop(connection, checkfirst=True)
        table.create(connection)
        connection.execute(insert(table).values(name=name))
        assert connection.scalar(select(table.c.name)) == name
        table.drop(connection)
