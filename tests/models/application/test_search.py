"""The search of 商品名称 finds exactly the titles that contain the text; triggers update the index."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, Select, select, text, update
from sqlalchemy.orm import Session

from models import access, clock
from models.application import Application
from models.application.search import Narrowed, containing, count_in_index, published_by
from models.database import db, search
from models.text import search_key
from models.vocabulary import Status
from tests.conftest import ActAs, MakeApplication
from tests.models.conftest import SystemSession

TITLES = (
    "交响乐京剧经典", "乐音乐", "音乐音", "ＤＶＤ 探戈\u200b精选", "dvd%_*'\"OR", "½ ㍿ ﬁ ß Straße",
    "𠮷祥 𬀩", "家👨\u200d👩\u200d👧乐", "e\u0301tude", "NEAR(a b) - ^ \\", "龘", "100% 纯音乐_合集", "AND",
    "茉莉花",
)  # fmt: skip


def found(session: Session, words: str, scopes: tuple[str, ...] = ()) -> set[str]:
    return set(session.scalars(select(Application.title).where(containing(session, words, Narrowed(scopes)))))


@pytest.fixture
def titled_drafts(app: Flask, make_application: MakeApplication, system_session: SystemSession) -> Iterator[Session]:
    """A register with a draft for each title."""
    for title in TITLES:
        make_application(title=title)
    with system_session() as session:
        yield session


@pytest.mark.slow
def test_every_part_of_a_title_finds_exactly_the_titles_that_contain_it(titled_drafts: Session) -> None:
    """1 to 6 characters, cut anywhere, against the plain comparison of keys."""
    keys = {title: search_key(title) for title in TITLES}
    parts = {key[i : i + length] for key in keys.values() for length in range(1, 7) for i in range(len(key))}
    for part in (part for part in parts if part.strip()):
        words = part.split()
        assert found(titled_drafts, part) == {
            title for title, key in keys.items() if all(word in key for word in words)
        }, part


@pytest.mark.slow
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
def test_the_title_search_accepts_chinese_spellings(titled_drafts: Session, asked: str, titles: set[str]) -> None:
    assert found(titled_drafts, asked) == titles


@pytest.mark.slow
def test_a_new_title_replaces_the_old_one_in_the_index(titled_drafts: Session) -> None:
    row = titled_drafts.scalars(select(Application).where(Application.title == "茉莉花")).one()
    row.title = "夜来香"
    titled_drafts.commit()
    assert (found(titled_drafts, "茉莉"), found(titled_drafts, "夜来")) == (set(), {"夜来香"})


@pytest.mark.slow
def test_the_search_finds_only_rows_the_reader_may_see(
    app: Flask, make_application: MakeApplication, act_as: ActAs
) -> None:
    """The tokens are a short cut: with and without them the same rows are found, and counted, by every role."""
    for status in ("draft", "pending", "filed"):
        make_application(status=status, title=f"{status} 京剧")
    for person, seen in (
        ("publisher", {"draft 京剧", "pending 京剧", "filed 京剧"}),
        ("publisher2", set()),
        ("reviewer", {"pending 京剧", "filed 京剧"}),
        ("reviewer2", set()),
        ("national", {"filed 京剧"}),
        ("operator", set()),
    ):
        with act_as(person):
            session, scopes = db.session(), access.search_scope(db.session())
            assert len(scopes) == 1
            assert found(session, "京剧", scopes) == found(session, "京剧") == seen, person
            on_sqlite = session.get_bind().dialect.name == "sqlite"
            assert count_in_index(session, "京剧", Narrowed(scopes, newest=9)) == (len(seen) if on_sqlite else None), (
                person
            )


@pytest.mark.slow
def test_the_index_counts_only_what_it_decides_alone(titled_drafts: Session) -> None:
    if titled_drafts.get_bind().dialect.name == "sqlite":
        scope = (search.token("status_order", Status.DRAFT.order),)
        assert count_in_index(titled_drafts, "音乐", Narrowed(scope, newest=9)) == len(found(titled_drafts, "音乐"))
        assert count_in_index(titled_drafts, "音乐", Narrowed(scope, newest=2)) == 2
        assert len(found(titled_drafts, "音乐")) > 2
        for words, narrowed in (
            ("乐音乐", Narrowed(scope, newest=9)),  # has the same pairs as 音乐音
            ("音乐", Narrowed(scope)),  # another condition is not among the tokens
            ("音乐", Narrowed(newest=9)),  # no scope
            ("", Narrowed(scope, newest=9)),
        ):
            assert count_in_index(titled_drafts, words, narrowed) is None


@pytest.mark.slow
def test_a_search_limited_to_the_newest_combines_with_months_and_statuses(
    titled_drafts: Session, make_application: MakeApplication
) -> None:
    make_application(status="pending", title="茉莉花")
    session = titled_drafts
    session.rollback()
    newest = select(Application.status).where(containing(session, "茉莉", Narrowed(newest=1)))
    if session.get_bind().dialect.name == "sqlite":  # PostgreSQL's planner stops at the LIMIT by itself
        assert session.scalars(newest).all() == [Status.PENDING]
    today = clock.today()
    for tokens, count in (
        ((search.token("status_order", Status.DRAFT.order),), 1),
        (search.months(today - timedelta(days=40), today), 1),  # the draft has no 申请日期
        (search.months(today.replace(year=1990), today), 2),  # too long a range: left to the rows
    ):
        asked = select(Application.id).where(containing(session, "茉莉", Narrowed(tokens)))
        if session.get_bind().dialect.name == "sqlite":
            assert len(session.scalars(asked).all()) == count


@pytest.mark.slow
def test_a_title_is_looked_for_among_the_rows_of_a_publisher_alone(
    titled_drafts: Session, make_application: MakeApplication, make_publisher: Callable[..., str]
) -> None:
    """A shortcut of SQLite's index: the names of the publishers leave no row out, and let no other in."""
    make_application(by=make_publisher("440000"), title="茉莉花")
    session = titled_drafts
    session.rollback()
    names = published_by(session, "文艺 音像").names
    assert names and all(search.publishers(group) == () for group in ((), [str(i) for i in range(search.MOST + 1)]))
    asked = containing(session, "茉莉", Narrowed(search.publishers(names)))
    expected = select(Application.id).where(Application.title == "茉莉花", Application.publisher_name.in_(names))
    if session.get_bind().dialect.name == "sqlite":
        assert session.scalars(select(Application.id).where(asked)).all() == session.scalars(expected).all() != []


def publishers(session: Session, words: str) -> set[str]:
    found = select(Application.publisher_name).where(published_by(session, words).condition).distinct()
    return set(map(str, session.scalars(found)))


NAMES = ("江苏文艺音像出版社", "ＡＢ 音像\u200b出版社", "É 出版", "E 出版", "100%_社")


@pytest.fixture
def named_drafts(titled_drafts: Session) -> Session:
    """The first drafts with these names of 出版单位, the others without one."""
    rows = titled_drafts.scalars(select(Application).order_by(Application.id)).all()
    for place, row in enumerate(rows):
        row.publisher_name = NAMES[place] if place < len(NAMES) else None
    titled_drafts.commit()
    return titled_drafts


@pytest.mark.slow
def test_a_publisher_is_found_by_exactly_the_parts_of_its_name(named_drafts: Session) -> None:
    keys = {name: search_key(name) for name in NAMES}
    parts = {key[i : i + length] for key in keys.values() for length in (1, 2, 4) for i in range(len(key))}
    for part in (part for part in parts if part.strip()):
        assert publishers(named_drafts, part) == {
            name for name, key in keys.items() if all(w in key for w in part.split())
        }, part
    assert publishers(named_drafts, "出版 ａｂ") == {"ＡＢ 音像\u200b出版社"}
    assert publishers(named_drafts, "社 没有") == set()
    assert publishers(named_drafts, "音\ufeff像") == {"江苏文艺音像出版社", "ＡＢ 音像\u200b出版社"}


@pytest.mark.slow
def test_a_frozen_publisher_name_is_found_after_the_publisher_is_renamed(named_drafts: Session) -> None:
    row = named_drafts.scalars(select(Application).where(Application.publisher_name == NAMES[0])).one()
    row.publisher_name = "江苏凤凰出版社"
    named_drafts.commit()
    assert publishers(named_drafts, "凤凰") == {"江苏凤凰出版社"}
    assert publishers(named_drafts, "文艺") == set()  # nothing has this name any more
    row.publisher_name = NAMES[0]
    named_drafts.commit()
    assert publishers(named_drafts, "文艺") == {NAMES[0]}


@pytest.mark.slow
def test_names_written_without_triggers_are_detected_and_reindexed(named_drafts: Session) -> None:
    """As `flask search check` and `flask search rebuild`."""
    connection = named_drafts.connection()
    assert search.check(connection)
    search.remove(connection)
    changed = {"publisher_name": "新名出版社", "publisher_sort": "~xin"}
    named_drafts.execute(update(Application).where(Application.publisher_name == NAMES[0]).values(changed))
    search.install(connection, changed=False)
    assert not search.check(connection)
    search.rebuild(connection)
    assert search.check(connection)
    assert publishers(named_drafts, "新名") == {"新名出版社"}
    named_drafts.rollback()


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_outdated_title_index_is_detected_and_rebuilt(titled_drafts: Session) -> None:
    """As `flask search check` and `flask search rebuild` do; on PostgreSQL an index cannot be bypassed."""
    connection = titled_drafts.connection()
    assert search.check(connection)
    search.remove(connection)
    titled_drafts.execute(update(Application).where(Application.title == "龘").values(title_key="靐"))
    search.install(connection, changed=False)
    assert not search.check(connection)
    search.rebuild(connection)
    assert search.check(connection)
    assert found(titled_drafts, "靐") == {"龘"}
    titled_drafts.rollback()


@pytest.mark.slow
def test_no_search_reads_the_whole_table(titled_drafts: Session) -> None:
    """By the plan of the database itself."""
    connection = titled_drafts.connection()
    wanted = select(Application.id).where(containing(titled_drafts, "交响乐京剧", Narrowed(("I1",))))
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
