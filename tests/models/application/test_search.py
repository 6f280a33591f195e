"""What is asked of 商品名称 finds every part of it, and nothing else; the database keeps the index in step itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, Select, select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from models import access
from models.application import Application
from models.application.search import containing
from models.database import db, search
from models.text import search_key

Door = Callable[[], AbstractContextManager[Session]]
TITLES = (
    "交响乐京剧经典", "乐音乐", "音乐音", "ＤＶＤ 探戈\u200b精选", "dvd%_*'\"OR", "½ ㍿ ﬁ ß Straße",
    "𠮷祥 𬀩", "家👨\u200d👩\u200d👧乐",
    "e\u0301tude", "NEAR(a b) - ^ \\", "龘", "100% 纯音乐_合集", "AND",
    "茉莉花",
)  # fmt: skip


def found(session: Session, words: str, scopes: tuple[str, ...] = ()) -> set[str]:
    return set(session.scalars(select(Application.title).where(containing(session, words, scopes))))


@pytest.fixture
def titled(app: Flask, make_application: Callable[..., int], door: Door) -> Iterator[Session]:
    """A register with a draft for each title."""
    for title in TITLES:
        make_application(title=title)
    with door() as session:
        yield session


def test_every_part_of_every_title_finds_just_the_titles_that_have_it(titled: Session) -> None:
    """1 to 6 characters, cut anywhere, against the plain comparison of keys."""
    keys = {title: search_key(title) for title in TITLES}
    parts = {key[i : i + length] for key in keys.values() for length in range(1, 7) for i in range(len(key))}
    for part in (part for part in parts if part.strip()):
        words = part.split()
        assert found(titled, part) == {title for title, key in keys.items() if all(word in key for word in words)}, part


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ("探戈精选", {"ＤＶＤ 探戈\u200b精选"}),
        ("dvd 探戈", {"ＤＶＤ 探戈\u200b精选"}),
        ("探戈　ＤＶＤ", {"ＤＶＤ 探戈\u200b精选"}),
        ("%", {"dvd%_*'\"OR", "100% 纯音乐_合集"}),
        ("乐音乐", {"乐音乐"}),
        ("京剧 茉莉", set()),
        ("𠮷", {"𠮷祥 𬀩"}),
        ("OR", {"dvd%_*'\"OR"}),
        ("没有的", set()),
        ("\u200b", set(TITLES)),  # nothing is asked
    ],
)
def test_it_is_asked_as_chinese_readers_ask(titled: Session, asked: str, titles: set[str]) -> None:
    assert found(titled, asked) == titles


def test_a_new_title_takes_the_place_of_the_old_one(titled: Session) -> None:
    row = titled.scalars(select(Application).where(Application.title == "茉莉花")).one()
    row.title = "夜来香"
    titled.commit()
    assert (found(titled, "茉莉"), found(titled, "夜来")) == (set(), {"夜来香"})


def test_a_scope_finds_the_rows_that_are_seen_and_no_others(
    app: Flask, make_application: Callable[..., int], acting: Callable[[str], AbstractContextManager[object]]
) -> None:
    """The tokens are a short cut: with and without them the same rows are found, by every role."""
    for status in ("draft", "pending", "filed"):
        make_application(status=status, title=f"{status} 京剧")
    for person, seen in (
        ("publisher", {"draft 京剧", "pending 京剧", "filed 京剧"}),
        ("publisher2", set()),
        ("reviewer", {"pending 京剧", "filed 京剧"}),
        ("reviewer2", set()),
        ("national", {"filed 京剧"}),
    ):
        with acting(person):
            scopes = access.search_scope(db.session())
            assert len(scopes) == 1
            assert found(db.session(), "京剧", scopes) == found(db.session(), "京剧") == seen, person


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_index_that_was_written_past_is_noticed_and_made_anew(titled: Session) -> None:
    """As `flask search check` and `flask search rebuild`; PostgreSQL lets nobody write past an index."""
    connection = titled.connection()
    search.check(connection)
    search.remove(connection)
    titled.execute(update(Application).where(Application.title == "龘").values(title_key="靐"))
    search.install(connection, changed=False)
    with pytest.raises(DatabaseError):
        search.check(connection)
    search.rebuild(connection)
    search.check(connection)
    assert found(titled, "靐") == {"龘"}
    titled.rollback()


def test_no_search_reads_the_whole_table(titled: Session) -> None:
    """By the plan of the database itself."""
    connection = titled.connection()
    wanted = select(Application.id).where(containing(titled, "交响乐京剧", ("I1",)))
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # which is quicker for a few rows
        assert "search_trigrams" in plan_of(wanted, connection, "EXPLAIN")
    else:
        plan = plan_of(wanted.order_by(Application.id.desc()).limit(20), connection, "EXPLAIN QUERY PLAN")
        assert "VIRTUAL TABLE INDEX" in plan
        assert "SCAN application" not in plan


def plan_of(statement: Select[Any], connection: Connection, explain: str) -> str:
    sql = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
    return " ".join(map(str, connection.exec_driver_sql(f"{explain} {sql}")))
