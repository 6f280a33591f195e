"""A fresh database of each kind, a small cast of named people, and the ways a test acts as one of them."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select

from models import access
from models.application import Application
from models.database import db
from models.people import accounts
from models.people.accounts import Account
from tests.apps import POSTGRESQL, PreparedApp, engine_of_owner, is_on_sqlite, new_database, prepare_app, shared_app
from tests.browsing import ClientAs, signed_in
from tests.cast import account_of, add_publisher, create_application, small_pdf, small_png
from tests.parts import pytest_addoption as pytest_addoption
from tests.parts import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.parts import pytest_ignore_collect as pytest_ignore_collect
from tests.parts import write_in_memory
from tests.row_security import on_row_security as on_row_security
from tests.serving import Server, serving
from tests.snapshots import Maker, SqliteSnapshots
from tests.snapshots import pytest_sessionstart as pytest_sessionstart
from tests.stores import s3_server
from views.entrance.rate_limits import limiter

ActAs = Callable[[str], AbstractContextManager[Account]]
MakeApplication = Callable[..., int]
MakePdf = Callable[[str], bytes]
Record = dict[str, list[dict[str, Any]]]
StoredRows = Callable[[int], Record]


ALL_DAY = {"SESSION_MINUTES": 12 * 60}  # a person stays signed in for the whole run
write_in_memory()
accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # a real hash is slow on purpose


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> PreparedApp:
    """The application on one SQLite file, which is replaced by a copy of its first state for every test."""
    folder = tmp_path_factory.mktemp("sqlite")
    app = prepare_app(f"sqlite:///{folder}/filing.sqlite", folder)
    shutil.copy(folder / "filing.sqlite", folder / "first")

    def renew() -> None:
        for left in folder.glob("filing.sqlite*"):
            left.unlink()
        shutil.copy(folder / "first", folder / "filing.sqlite")

    (folder / "snapshots").mkdir()
    return PreparedApp(app, renew, SqliteSnapshots(folder / "filing.sqlite", folder / "first", folder / "snapshots"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[psycopg.Connection]:
    """A connection to the PostgreSQL server; without a server its tests are skipped, and on CI they fail."""
    try:
        server = psycopg.connect(f"postgresql://{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL ({POSTGRESQL}) does not answer: the tests on it are left out")
    with server:
        yield server


@pytest.fixture(scope="session")
def on_postgresql(postgresql: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedApp]:
    """One database per test process, emptied and filled again for every test, because a copy would take 100 ms."""
    with shared_app(postgresql, tmp_path_factory.mktemp("postgresql")) as shared:
        yield shared


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a fresh database, twice: on SQLite and on PostgreSQL. No context is pushed.

    The object lives as long as the process, because making it and compiling its statements takes longer than most
    tests; its database, its store and its settings are new for every test.
    """
    restricted = request.param == "postgresql" and "ROW_SECURITY" in os.environ
    shared: PreparedApp = request.getfixturevalue("on_row_security" if restricted else f"on_{request.param}")
    shared.renew()
    settings, schema = dict(shared.app.config), shared.schema()
    shared.app.config["STORE"] = str(tmp_path / "store")
    with shared.app.app_context():
        limiter.reset()
    yield shared.app
    with shared.app.app_context():
        db.engine.dispose()
    shared.app.config.clear()
    shared.app.config.update(settings)
    assert shared.schema() == schema, "this test has changed the schema, which later tests of the process share"


@pytest.fixture(scope="session")
def served_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn on a SQLite file of its own."""
    folder = tmp_path_factory.mktemp("served")
    with serving(prepare_app(f"sqlite:///{folder}/filing.sqlite", folder), folder, **ALL_DAY) as server:
        yield server


@pytest.fixture(scope="session")
def served_on_postgresql(postgresql: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn on a PostgreSQL database of its own."""
    folder = tmp_path_factory.mktemp("served")
    with (
        new_database(postgresql, f"filing_served_{os.getpid()}") as address,
        serving(prepare_app(address, folder), folder, **ALL_DAY) as server,
    ):
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The application behind gunicorn, twice: on SQLite and on PostgreSQL; the test must leave its error log empty.

    The server and its rows live as long as the test session (tests/serving.py says how to use it).
    """
    server: Server = request.getfixturevalue(f"served_on_{request.param}")
    server.complaints()
    yield server
    assert server.complaints() == ""


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a bucket."""
    with s3_server() as address:
        yield address


@pytest.fixture(params=["folder", "bucket"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, twice: a folder, and a bucket."""
    if request.param == "folder":
        return str(tmp_path / "store")
    return f"{request.getfixturevalue('s3')}/{secrets.token_hex(4)}"


@pytest.fixture
def cast(app: Flask) -> SimpleNamespace:
    """`cast.publisher` is the number of that account; so for every user name."""
    with app.app_context():
        return SimpleNamespace(**dict(db.session.execute(select(Account.username, Account.id)).all()))


@pytest.fixture
def act_as(app: Flask) -> ActAs:
    """`with act_as("reviewer") as account:` is a session that serves this person; use `db.session` inside."""

    @contextmanager
    def entered(username: str) -> Iterator[Account]:
        with app.app_context():
            account = account_of(username)
            access.enter(account)
            yield account

    return entered


@pytest.fixture
def client_as(app: Flask) -> ClientAs:
    """`client_as("publisher")`: a test client in which that person is signed in; None: without an account."""
    return lambda username: signed_in(app, username)


@pytest.fixture
def make_application(app: Flask, request: pytest.FixtureRequest) -> Iterator[MakeApplication]:
    """An application in this status, reached by real acts; complete, unless `fields` say otherwise.

    It may be a snapshot of what the same acts made for an earlier test (tests/snapshots.py).
    """
    shared: PreparedApp = request.getfixturevalue("on_sqlite" if is_on_sqlite(app) else "on_postgresql")
    if shared.app is not app or shared.snapshots is None:
        yield partial(create_application, app)
        return
    yield Maker(app, shared.snapshots)
    shared.snapshots.close()


@pytest.fixture
def make_publisher(app: Flask) -> Callable[..., str]:
    """`make_publisher("440000")`: its user name; adds a reviewer, and with `by_agent` an entrustment of that agent."""

    def placed(province: str, by_agent: str = "") -> str:
        with app.app_context(), access.everything() as session:
            return add_publisher(session, province, by_agent)

    return placed


@pytest.fixture
def add_colleague(app: Flask) -> Callable[..., None]:
    """`add_colleague("second", like="publisher")`: another account of the same role, unit and province."""

    def added(username: str, like: str, active: bool = True) -> None:
        with app.app_context(), access.everything() as session:  # under row security only operators may add accounts
            other = session.get_one(Account, account_of(like).id)
            same = {"role": other.role, "organisation": other.organisation, "province": other.province}
            person = Account(username=username, name=username, active=active, password_hash="", **same)
            person.must_change = False
            session.add(person)
            session.commit()

    return added


@pytest.fixture
def stored_rows(app: Flask) -> StoredRows:
    """`stored_rows(id)`: every row of an application in the database, by table, read without row security."""

    def read(key: int) -> Record:
        tables = [table for table in db.metadata.sorted_tables if "application_id" in table.c]
        with app.app_context(), engine_of_owner(app).connect() as connection:
            rows = connection.execute(select(Application.__table__).where(Application.__table__.c.id == key))
            record = {"application": [dict(row) for row in rows.mappings()]}
            for table in tables:
                query = select(table).where(table.c.application_id == key).order_by(*table.primary_key)
                rows = connection.execute(query)
                record[table.name] = [dict(row) for row in rows.mappings()]
        return record

    return read


@pytest.fixture
def make_pdf() -> MakePdf:
    """`make_pdf(text)`: a small PDF; its title is the text, and so is its page where the text is ASCII."""
    return lambda text="样品内容材料": small_pdf(text)


@pytest.fixture
def make_png() -> Callable[[], bytes]:
    """`make_png()`: a small picture."""
    return small_png
