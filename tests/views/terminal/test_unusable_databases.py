"""Every command on an unusable database: one message, status 1, no traceback, and no change."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from flask import Flask
from sqlalchemy import inspect, text

from app import create_app
from models.database import db
from tests import ROOT, free_port
from tests.apps import new_database, prepare_app
from tests.stores import remount, small_disk
from tests.views.terminal.commands import everything_in, run_command
from views.terminal import Commands

WORDS: dict[str, tuple[str, ...]] = {  # arguments of the commands that need some
    "account add": ("new", "--name", "x", "--role", "national"),
    "account disable": ("operator",),
    "account password": ("operator",),
    "account code": ("operator",),
    "backup": ("{folder}/kept",),
    "certificate verify": (str(ROOT / "README.md"),),
    "certificate verify-code": ("x",),
    "certificate status-list": ("{folder}/lists",),
    "certificate keys install": (__file__,),
    "customs receipt": ("1",),
    "database roles": ("filing_web",),
    "drill": ("{folder}/kept",),
    "restore": ("{folder}/kept",),
    "trail checkpoint": ("{folder}/checkpoints", "--key-file", "{folder}/key.pem"),
    "trail prove": ("1", "{folder}/checkpoints"),
}
STARTS_SOMETHING = {"customs simulate"}
WITHOUT_DATABASE = {"customs schema", "certificate verify-code", "trail new-key", "trail check-proof"}
READS = {
    "trail verify", "search check", "statistics check", "sweep --check", "backup", "certificate verify",
    "certificate status-list", "customs receipt",
}  # fmt: skip


def commands() -> Iterator[tuple[str, ...]]:
    """Every command, with the arguments it needs; one that is new is found here."""

    def walk(group: click.Group, before: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        context = click.Context(group)
        for name in (name for name in group.list_commands(context) if name != "db"):
            command, path = group.get_command(context, name), (*before, name)
            if isinstance(command, click.Group):
                yield from walk(command, path)
            elif " ".join(path) not in STARTS_SOMETHING:
                yield path

    yield from walk(Commands(), ())
    yield ("sweep", "--check")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path, stack: ExitStack) -> str:
    """Of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/some.sqlite"
    return stack.enter_context(new_database(request.getfixturevalue("postgresql"), f"filing_unusable_{os.getpid()}"))


def application(address: str, folder: Path) -> Flask:
    """On that database; the store and the keys lie in the folder."""
    settings = {"SQLALCHEMY_DATABASE_URI": address, "STORE": str(folder / "store"), "SIGNING_KEY": str(folder / "k")}
    return create_app(settings | {"SECRET_KEY": "x", "CUSTOMS_GATEWAY": f"folder:{folder}/boxes"})


def assert_each_is_refused(app: Flask, folder: Path, sentence: str, but: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """All commands, except those that need no database, and `but`."""
    for path in commands():
        if (name := " ".join(path)) in WITHOUT_DATABASE | but:
            continue
        words = [word.format(folder=folder) for word in WORDS.get(name, ())]
        answer = run_command(app, *path, *words)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), (path, answer.exception)
        assert (answer.exit_code, answer.output.count("\n")) == (1, 1), (path, answer.output)
        assert sentence in answer.output or name in ("restore", "backup"), (path, answer.output)
    with app.app_context():
        db.engine.dispose()


def tables(app: Flask) -> list[str]:
    with app.app_context():
        names = inspect(db.engine).get_table_names()
        db.engine.dispose()
    return sorted(names)


def test_an_empty_database_is_reported_and_stays_empty(address: str, tmp_path: Path) -> None:
    app = application(address, tmp_path)
    assert_each_is_refused(app, tmp_path, "数据库是空的，请先运行 flask --app app upgrade。", {"upgrade"})
    assert "sqlite" not in address or not (tmp_path / "some.sqlite").exists()
    assert tables(app) == []


@pytest.mark.parametrize("revision", [None, "ab12cd34ef56"], ids=["", "with migrations of its own"])
def test_the_database_of_another_program_is_reported_and_unchanged(
    address: str, tmp_path: Path, revision: str | None
) -> None:
    """Not even `upgrade` or `restore` puts tables beside another program's."""
    app = application(address, tmp_path)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY)"))
        if revision:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            connection.execute(text(f"INSERT INTO alembic_version VALUES ('{revision}')"))
    before = tables(app)
    assert_each_is_refused(app, tmp_path, "这个数据库属于其他程序。")
    assert tables(app) == before


@pytest.mark.parametrize(("revision", "sentence"), [("0009", "数据库结构是以前版本的"), ("9999", "来自更新的版本")])
def test_the_database_of_another_release_is_reported(
    address: str, tmp_path: Path, revision: str, sentence: str
) -> None:
    app = prepare_app(address, tmp_path)
    app.config["CUSTOMS_GATEWAY"] = f"folder:{tmp_path}/boxes"
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    before = everything_in(app)
    assert_each_is_refused(app, tmp_path, sentence, {"upgrade"} if revision == "0009" else set())
    assert everything_in(app) == before


def unreachable(kind: str, folder: Path) -> str:
    """The address of a database that cannot be opened."""
    match kind:
        case "no folder":
            return f"sqlite:///{folder}/none/x.sqlite"
        case "no database":
            (folder / "x.sqlite").write_bytes(b"what is this" * 1000)
            return f"sqlite:///{folder}/x.sqlite"
        case "no server":
            return f"postgresql+psycopg://postgres@127.0.0.1:{free_port()}/x"
    return "postgresql+psycopg://postgres@127.0.0.1:5432/there_is_no_such_database"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["no folder", "no database", "no server", "no such database"])
def test_an_unreachable_database_is_reported(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "no such database":
        request.getfixturevalue("postgresql")
    app = application(unreachable(kind, tmp_path), tmp_path)
    assert_each_is_refused(app, tmp_path, "数据库")


def test_a_read_only_disk_is_reported_and_reading_commands_still_work(tmp_path: Path, stack: ExitStack) -> None:
    """SQLite on a read-only disk cannot write its log, so reading fails as well."""
    stack.enter_context(small_disk(tmp_path / "disk", "64m"))
    app = prepare_app(f"sqlite:///{tmp_path}/disk/filing.sqlite", tmp_path)
    app.config["CUSTOMS_GATEWAY"] = f"folder:{tmp_path}/boxes"
    before = everything_in(app)
    gc.collect()  # connections that keep files open for writing
    remount(tmp_path / "disk", "ro")
    assert_each_is_refused(app, tmp_path, "", {"demo", "certificate work", "certificate render", "mail send"} | READS)
    remount(tmp_path / "disk", "rw")
    assert everything_in(app) == before


def test_a_read_only_server_is_reported(postgresql: psycopg.Connection, tmp_path: Path, stack: ExitStack) -> None:
    """Like a standby of PostgreSQL: every transaction is read-only."""
    name = f"filing_standby_{os.getpid()}"
    app = prepare_app(stack.enter_context(new_database(postgresql, name)), tmp_path)
    app.config["CUSTOMS_GATEWAY"] = f"folder:{tmp_path}/boxes"
    before = everything_in(app)
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    writing: Any = [("account", "add", *WORDS["account add"]), ("sweep",), ("customs", "deliver"), ("upgrade",)]
    for words in writing:
        answer = run_command(app, *words)
        assert (answer.exit_code, answer.output.count("\n")) == (1, 1), (words, answer.output)
    assert run_command(app, "trail", "verify").exit_code == 0
    assert everything_in(app) == before
