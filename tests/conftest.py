"""A fresh database of each kind, a small cast of named people, and the ways a test acts as one of them."""

import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flask
import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from flask_login import login_user
from flask_migrate import upgrade
from itsdangerous import URLSafeTimedSerializer
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from app import create_app
from models import access, clock
from models.application import Application
from models.codes import names_of
from models.database import db
from models.people import accounts
from models.people.accounts import Account
from models.people.sessions import Visit, hashed
from tests import ROOT
from tests.cast import account_of, bring_on, brought, settle, small_pdf
from tests.serving import Server, serving
from tests.snapshots import Maker, Snapshots
from tests.stores import s3_server
from views.demo import signing_keys
from views.entrance.rate_limits import limiter

POSTGRESQL = "postgres@127.0.0.1:5432"
SAFE = {"GET", "HEAD", "OPTIONS"}

Acting = Callable[[str], AbstractContextManager[Account]]
Making = Callable[..., int]
Record = dict[str, list[dict[str, Any]]]
Recording = Callable[[int], Record]


IN_MEMORY, ROOM = "/dev/shm", 2 << 30  # bytes


def write_in_memory() -> None:
    """Let tests write into memory where there is room: every commit waits for the disk otherwise (several ms)."""
    place = Path(IN_MEMORY)
    if place.is_dir() and os.access(place, os.W_OK):
        found = os.statvfs(place)
        if found.f_bavail * found.f_frsize > ROOM and not found.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", IN_MEMORY)  # where pytest makes tmp_path


write_in_memory()
accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # slow on purpose elsewhere
# Rooms and files that wait for a browser, a server, other processes, a typesetter, or hundreds of files.
SLOW_PLACES = (
    "browser", "served", "corpus", "bench", "models/migrations", "models/signing/test_hardware_token.py",
    "views/certificate", "views/terminal", "test_makefile.py",
)  # fmt: skip
SLOW_FIXTURES = {"postgresql", "on_postgresql", "s3", "page"}  # page: a browser's


def is_slow(item: pytest.Item) -> bool:
    """Whether a test is in no `make quick`: by its place, or by what it is given."""
    assert isinstance(item, pytest.Function)
    place = item.path.relative_to(ROOT / "tests")
    if any(place.is_relative_to(slow) for slow in SLOW_PLACES):
        return True
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "postgresql" in given or not SLOW_FIXTURES.isdisjoint(item.fixturenames)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make quick` runs one part, and `make test` both, each by itself: CI refuses a run with tests left out."""
    parser.addoption("--part", choices=("quick", "slow"), help="run this part of the tests")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The quick part does not even read the places of the slow one."""
    place = collection_path.relative_to(ROOT / "tests") if collection_path.is_relative_to(ROOT / "tests") else None
    is_read = place is None or not any(place.is_relative_to(slow) for slow in SLOW_PLACES)
    return None if is_read or config.getoption("--part") != "quick" else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and keep the part that is asked for."""
    for item in items:
        if is_slow(item):
            item.add_marker("slow")
    if part := config.getoption("--part"):
        items[:] = [item for item in items if bool(item.get_closest_marker("slow")) is (part == "slow")]


@dataclass(frozen=True)
class House:
    """An application on a database of its own, what makes that database as new, and what was made on it before."""

    app: Flask
    renew: Callable[[], object]
    snapshots: Snapshots | None = None


def settled(address: str, folder: Path) -> Flask:
    """An application whose database was made by the same steps as the real one, with the cast in it."""
    app = create_app(
        {
            "TESTING": True,
            "CAPTCHA": False,
            "SECRET_KEY": secrets.token_hex(),
            "SQLALCHEMY_DATABASE_URI": address,
            "STORE": str(folder / "store"),
            "SIGNING_KEY": str(folder / "keys"),
        }
    )
    with app.app_context():
        signing_keys.establish(folder / "keys", names_of("province"))
        upgrade()
        with access.everything() as session:
            bring_on(session)
        db.session.remove()
        db.engine.dispose()
    return app


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> House:
    """One file, replaced for every test by a copy of what it was at first."""
    folder = tmp_path_factory.mktemp("sqlite")
    app = settled(f"sqlite:///{folder}/filing.sqlite", folder)
    shutil.copy(folder / "filing.sqlite", folder / "first")

    def renew() -> None:
        for left in folder.glob("filing.sqlite*"):
            left.unlink()
        shutil.copy(folder / "first", folder / "filing.sqlite")

    (folder / "snapshots").mkdir()
    return House(app, renew, Snapshots(folder / "filing.sqlite", folder / "first", folder / "snapshots"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[psycopg.Connection]:
    """A connection to the server; where there is none its tests are skipped, on CI they fail."""
    try:
        server = psycopg.connect(f"postgresql://{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL ({POSTGRESQL}) does not answer: the tests on it are left out")
    with server:
        yield server


@contextmanager
def made(server: psycopg.Connection, name: str) -> Iterator[str]:
    """A database on the server, dropped afterwards whoever is still connected."""
    server.execute(f"CREATE DATABASE {name}".encode())
    server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())  # no test outlives the server
    try:
        yield f"postgresql+psycopg://{POSTGRESQL}/{name}"
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def on_postgresql(postgresql: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One database for each process that tests, emptied and filled again for every test: a copy would take 100 ms."""
    with made(postgresql, f"filing_test_{os.getpid()}") as address:
        app = settled(address, tmp_path_factory.mktemp("postgresql"))
        with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
            steps = renewal(connection).encode()
            yield House(app, lambda: connection.execute(steps))


def renewal(connection: psycopg.Connection) -> str:
    """SQL that empties every table, triggers or not, and puts back what is in it now."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    steps = [f"SELECT pg_terminate_backend(pid) {others}", "SET session_replication_role = replica"]
    connection.execute("CREATE SCHEMA seed")
    for (table,) in connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ).fetchall():
        copied = connection.execute(f"CREATE TABLE seed.{table} AS TABLE public.{table}".encode()).rowcount
        steps.append(f"DELETE FROM public.{table}")
        if copied:
            steps.append(f"INSERT INTO public.{table} TABLE seed.{table}")
    for name, last in connection.execute("SELECT sequencename, last_value FROM pg_sequences").fetchall():
        steps.append(f"SELECT setval('public.{name}', {last or 1}, {bool(last)})")
    return ";".join(steps)


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a fresh database, twice: on SQLite and on PostgreSQL. No context is pushed.

    The object lives as long as the process, for making it and compiling its statements takes longer than most tests;
    its database, its store and its settings are new for every test.
    """
    house: House = request.getfixturevalue(f"on_{request.param}")
    house.renew()
    settings = dict(house.app.config)
    house.app.config["STORE"] = str(tmp_path / "store")
    with house.app.app_context():
        limiter.reset()
    yield house.app
    with house.app.app_context():
        db.engine.dispose()
    house.app.config.clear()
    house.app.config.update(settings)


@pytest.fixture(scope="session")
def served_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn on a SQLite file of its own."""
    folder = tmp_path_factory.mktemp("served")
    with serving(settled(f"sqlite:///{folder}/filing.sqlite", folder), folder) as server:
        yield server


@pytest.fixture(scope="session")
def served_on_postgresql(postgresql: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn on a PostgreSQL database of its own."""
    folder = tmp_path_factory.mktemp("served")
    with (
        made(postgresql, f"filing_served_{os.getpid()}") as address,
        serving(settled(address, folder), folder) as server,
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
    """Where an empty store may lie, twice: in a folder, and in a bucket."""
    if request.param == "folder":
        return str(tmp_path / "store")
    return f"{request.getfixturevalue('s3')}/{secrets.token_hex(4)}"


@pytest.fixture
def cast(app: Flask) -> SimpleNamespace:
    """`cast.publisher` is the number of that account; so for every user name."""
    with app.app_context():
        return SimpleNamespace(**dict(db.session.execute(select(Account.username, Account.id)).all()))


@pytest.fixture
def acting(app: Flask) -> Acting:
    """`with acting("reviewer") as account:` is a session that serves this person; use `db.session` inside."""

    @contextmanager
    def entered(username: str) -> Iterator[Account]:
        with app.app_context():
            account = account_of(username)
            access.enter(account)
            yield account

    return entered


class Browser(FlaskClient):
    """Sends the CSRF token with every unsafe request, as our pages do; `csrf=False` leaves it out."""

    def open(self, *args: Any, csrf: bool = True, **options: Any) -> TestResponse:
        assert not flask.has_app_context(), "leave acting() first: a request inside it would share its session"
        if csrf and options.get("method", "GET") not in SAFE:
            headers = Headers(options.pop("headers", None))
            headers.setdefault("X-CSRFToken", self._token())
            options["headers"] = headers
        return super().open(*args, **options)

    def _token(self) -> str:
        with self.session_transaction() as session:
            secret = session.setdefault("csrf_token", secrets.token_hex())
        return str(URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token").dumps(secret))


def signed_in(app: Flask, username: str | None) -> Browser:
    """A browser in which that person is signed in; None: nobody is."""
    browser = Browser(app)
    if username is None:
        return browser
    with app.test_request_context(environ_base=browser.environ_base):
        account = account_of(username)
        visit = Visit(account=account, began_at=clock.now(), seen_at=clock.now())
        visit.token = secrets.token_urlsafe(32)
        visit.token_hash = hashed(visit.token)
        db.session.add(visit)
        db.session.commit()
        account.visit = visit
        login_user(account)
        kept = dict(flask.session)
    with browser.session_transaction() as session:
        session.update(kept)
    return browser


@pytest.fixture
def as_(app: Flask) -> Callable[[str | None], Browser]:
    """`as_("publisher")` is a browser in which that person is signed in; `as_(None)` one in which nobody is."""
    return lambda username: signed_in(app, username)


@pytest.fixture
def make_application(app: Flask, request: pytest.FixtureRequest) -> Iterator[Making]:
    """An application that real acts have brought to the wanted status; complete, unless `fields` say otherwise.

    On SQLite the acts of a process may have done so for an earlier test (tests/snapshots.py).
    """
    house: House | None = request.getfixturevalue("on_sqlite") if is_on_sqlite(app) else None
    if house is None or house.app is not app or house.snapshots is None or "monkeypatch" in request.fixturenames:
        yield partial(brought, app)
        return
    maker = Maker(app, house.snapshots)
    yield maker
    maker.watcher.close()


def is_on_sqlite(app: Flask) -> bool:
    return str(app.config["SQLALCHEMY_DATABASE_URI"]).startswith("sqlite")


@pytest.fixture
def a_press(app: Flask) -> Callable[..., str]:
    """`a_press("440000")`: a press of another province, with a reviewer; `by_agent` lets the agent file for it too."""

    def placed(province: str, by_agent: str = "") -> str:
        with app.app_context(), access.everything() as session:
            return settle(session, province, by_agent)

    return placed


@pytest.fixture
def colleague(app: Flask) -> Callable[..., None]:
    """`colleague("second", like="publisher")`: another account of the same role, unit and province."""

    def added(username: str, like: str, active: bool = True) -> None:
        with app.app_context():
            other = account_of(like)
            same = {"role": other.role, "organisation": other.organisation, "province": other.province}
            person = Account(username=username, name=username, active=active, password_hash="", **same)
            person.must_change = False
            db.session.add(person)
            db.session.commit()

    return added


@pytest.fixture
def on_record(app: Flask) -> Recording:
    """`on_record(id)`: every row the database keeps of an application, table by table, read past the row guard."""

    def read(key: int) -> Record:
        tables = [table for table in db.metadata.sorted_tables if "application_id" in table.c]
        with app.app_context(), db.engine.connect() as connection:
            rows = connection.execute(select(Application.__table__).where(Application.__table__.c.id == key))
            kept = {"application": [dict(row) for row in rows.mappings()]}
            for table in tables:
                rows = connection.execute(select(table).where(table.c.application_id == key).order_by(table.c.id))
                kept[table.name] = [dict(row) for row in rows.mappings()]
        return kept

    return read


@pytest.fixture
def a_pdf() -> Callable[[str], bytes]:
    """`a_pdf(text)`: a small PDF; its title is the text, and so is its page where the text is ASCII."""

    def made_of(text: str = "样品内容材料") -> bytes:
        return small_pdf(text)

    return made_of


@pytest.fixture
def a_png() -> Callable[[], bytes]:
    """`a_png()`: a small picture."""

    def painted() -> bytes:
        out = io.BytesIO()
        Image.new("RGB", (8, 8), "#1b5fb4").save(out, "PNG")
        return out.getvalue()

    return painted
