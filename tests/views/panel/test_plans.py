"""No address that a person can build from the screens reads a whole table, or sorts more rows than the pager reaches.

By the plans of the databases themselves, for every statement of every page, where more rows are found than the pager
reaches, and where fewer are.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, text

from models import access, clock
from models.database import db
from models.statistics.periods import Dimension
from tests.bench import bulk, traces
from tests.browsing import Browser, ClientAs
from tests.cast import create_application
from views.panel import paging
from views.panel.screen import Screen

TABLES = (
    "application|attachment|carrier|certificate|customs_message|customs_letter|customs_note|trail_entry|log_entry|visit"
)
FEW = "ix_customs_message_open|ix_customs_message_next_at_id"  # indexes of the open messages alone
SCANS = re.compile(rf"SCAN (?:{TABLES})\b(?! USING (?:COVERING )?INDEX (?:{FEW})\b)|Seq Scan on (?:{TABLES})\b")
SORTS = re.compile(r"TEMP B-TREE FOR (?!GROUP|count\()")  # groups and distinct values, which statistics count, are few
DATES = f"since=2000-01-01&until={clock.today()}"
FIELDS = ("title=花", "title=梅花·交响乐", "status=customs_received", DATES, "number=SQ20", "number=000017")
MORE = (*FIELDS, "publisher=音像")
AMOUNTS = "amount_since=1000&amount_until=9000"
SELDOM = (
    "certificate=Z3220260000017", "issued_since=2025-01-01", "act=grant", "acted_since=2025-01-01", "kind=1",
    "publisher_code=913200001234567890", "country=DEU",
)  # fmt: skip
LOG = ("username=publisher", "address=127.0.0.1", DATES)
LISTS = {  # (account, list) → the fields of its query form, those that are asked only alone, the columns to sort by
    ("publisher", "applications"): ((*FIELDS, AMOUNTS), SELDOM[:1], 6),
    ("reviewer", "review"): (MORE, ("due=overdue", "round=again"), 6),
    ("reviewer", "filings"): ((*MORE, AMOUNTS), (*SELDOM, "decided=2025-06-30"), 6),
    ("national", "register"): ((*MORE, "province=320000", AMOUNTS), SELDOM, 9),
    ("reviewer", "exchange"): (
        ("number=Z3", "state=queued", "state=rejected", "state=accepted", "state=unanswered", DATES), (), 6,
    ),
    ("operator", "signins"): ((*LOG, "kind=signed_in"), (), 1),
    ("operator", "operations"): ((*LOG, "kind=unlocked", "about=publisher"), (), 1),
    ("national", "prints"): ((*LOG, "kind=export", "about=SQ202600000001"), (), 1),
    ("national", "acts"): (("username=publisher", "act=grant", "number=SQ202600000001", DATES), (), 1),
    ("operator", "online"): (("username=pub", "address=127"), (), 0),
}  # fmt: skip
# (address, plan) → why this plan may sort, or read a table
EXCEPTIONS = {
    (
        r"since=.*&sort=0",
        "TEMP B-TREE FOR",
    ): "申请单号 within dates are sorted out of an index alone",
    ("/acts/.*number=", "TEMP B-TREE FOR"): "the acts of one application are few",
    (r"/acts/\?(&sort=0&desc=0)?$", "SCAN trail_entry"): "most acts are of what was issued: the limit is soon reached",
}


@contextmanager
def statements(app: Flask, verb: str = "SELECT") -> Iterator[list[tuple[str, Any]]]:
    """The statements sent meanwhile that begin with this verb: (SQL, parameters)."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_rest: Any) -> None:
        if sql.startswith(verb):
            asked.append((sql, parameters))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan(connection: Connection, sql: str, parameters: Any) -> str:
    """One step a line; on SQLite without the last sort of a page, which sorts only the rows of that page."""
    postgresql = connection.dialect.name == "postgresql"
    rows = connection.exec_driver_sql(f"{'EXPLAIN' if postgresql else 'EXPLAIN QUERY PLAN'} {sql}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows if postgresql or row[1] or "ORDER BY" not in row[-1])


def questions(fields: tuple[str, ...], seldom: tuple[str, ...], columns: int) -> Iterator[str]:
    """Every field with every sort, and every two of them newest first."""
    yield from seldom
    for asked in ("", *fields):
        yield asked
        yield from (f"{asked}&sort={column}&desc={column % 2}" for column in range(columns))
    for one, other in combinations(fields, 2):
        if one.partition("=")[0] != other.partition("=")[0]:
            yield f"{one}&{other}"


@pytest.fixture
def filled(app: Flask) -> Flask:
    """Two hundred applications, and as many entries of each log."""
    with app.app_context(), access.everything() as session:
        bulk.fill(session, 200)
        traces.fill_logs(session, 600)
    return app


def offences(app: Flask, browser: Browser, address: str, seen: set[str]) -> Iterator[str]:
    """The statements of a page that read a whole table, or sort what no LIMIT bounds."""
    with statements(app) as asked:
        assert browser.get(address).status_code == 200
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))  # which is quicker for a few rows
        for sql, parameters in asked:
            if sql in seen:
                continue
            seen.add(sql)
            found = plan(connection, sql, parameters)
            sorts = SORTS.search(found) and sql.count("LIMIT") < 2  # the inner LIMIT bounds what is sorted
            if (SCANS.search(found) or sorts) and not excepted(address, found):
                yield f"{address}\n{sql}\n{found}"


def excepted(address: str, found: str) -> bool:
    """Whether a plan is one of the EXCEPTIONS."""
    return any(re.search(where, address) and re.search(what, found) for where, what in EXCEPTIONS)


@pytest.mark.slow
@pytest.mark.parametrize("reach", [5, 10_000])
def test_no_list_reads_a_whole_table(
    filled: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, reach: int
) -> None:
    """Applications and messages to customs; pages are not rendered, so that all statements run in seconds."""
    monkeypatch.setattr(paging, "REACH", reach)
    monkeypatch.setattr(Screen, "render", lambda *_args, **_options: "")
    found: list[str] = []
    for (who, screen), (fields, seldom, columns) in LISTS.items():
        browser, seen = client_as(who), set[str]()
        for question in questions(fields, seldom, columns):
            found += offences(filled, browser, f"/{screen}/?{question}", seen)
    assert not found, "\n\n".join(found)


@pytest.mark.slow
def test_statistics_read_no_whole_table(filled: Flask, client_as: ClientAs) -> None:
    """Whole periods, and days at both ends of one, which are looked up, by every dimension."""
    found: list[str] = []
    for who in ("reviewer", "national"):
        for period in ("since=2025-01-01&until=2025-12-31", "since=2025-02-03&until=2026-03-05"):
            for dimension in Dimension:
                asked = f"/statistics/?dimension={dimension.value}&{period}"
                found += offences(filled, client_as(who), asked, set())
    assert not found, "\n\n".join(found)


@pytest.mark.slow
def test_healthz_reads_no_whole_table(filled: Flask, client_as: ClientAs) -> None:
    found = list(offences_of_health(filled, client_as(None)))
    assert not found, "\n\n".join(found)


def offences_of_health(app: Flask, browser: Browser) -> Iterator[str]:
    with statements(app) as asked:
        browser.get("/healthz")
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))
        plans = [(sql, plan(connection, sql, parameters)) for sql, parameters in asked]
        yield from (f"{sql}\n{found}" for sql, found in plans if SCANS.search(found))


@pytest.mark.slow
def test_the_number_of_statements_of_a_list_is_constant(filled: Flask, client_as: ClientAs) -> None:
    """No query a row: as many for a hundred rows as for ten, and one more where some of them were rejected.

    The calendar is read once, if one of the rows is pending.
    """
    for who, address in (
        ("publisher", "/applications/?"), ("reviewer", "/filings/?"), ("reviewer", "/review/?"),
        ("national", "/register/?"), ("reviewer", "/exchange/?"), ("reviewer", "/exchange/?state=rejected&"),
        ("operator", "/accounts/?"), ("operator", "/signins/?"), ("national", "/prints/?"), ("national", "/acts/?"),
    ):  # fmt: skip
        counts = []
        for size in (10, 100):
            with statements(filled) as asked:
                client_as(who).get(f"{address}page_size={size}")
            days = [sql for sql, _parameters in asked if "FROM calendar_" in sql and "_feed" not in sql]
            assert len(days) in (0, 1), (address, days)
            counts.append(len(asked) - len(days))
        assert counts[0] <= counts[1] <= min(counts[0] + 1, 16), (address, counts)


@pytest.mark.slow
def test_an_empty_result_takes_one_query(filled: Flask, client_as: ClientAs) -> None:
    with statements(filled) as asked:
        client_as("national").get("/register/?title=鼍")
    lists = [sql for sql, _parameters in asked if "FROM notification" not in sql]  # the bell's
    assert sum("FROM application" in sql or "FROM search" in sql for sql in lists) == 1


def test_the_page_and_the_form_of_an_application_read_its_trail_once(app: Flask, client_as: ClientAs) -> None:
    for status, address, most in (("filed", "details", 10), ("draft", "edit", 18)):
        key, browser = create_application(app, status=status), client_as("publisher")
        browser.get(f"/applications/{address}/?id={key}")  # afterwards no visit is written any more
        with statements(app) as asked:
            assert browser.get(f"/applications/{address}/?id={key}").status_code == 200
        tables = [sql for sql, _parameters in asked if "\nFROM trail_entry" in sql]
        assert len(tables) == 1 and len(asked) <= most, (address, len(asked), tables)
