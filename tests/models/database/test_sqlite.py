"""SQLite as we run it: the library, the pragmas of every connection, and several processes that write at once."""

import ast
import subprocess
import sys
from pathlib import Path
from sqlite3 import sqlite_version_info as of_the_system
from threading import Event, Thread

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Engine, create_engine, text

from app import create_app
from models.database import db, sqlite
from tests import ROOT

WRITERS, COMMITS = 3, 40


def engine_on(path: Path) -> Engine:
    """An engine configured like the application's."""
    engine = create_engine(f"sqlite:///{path}", **sqlite.options())
    sqlite.prepare(engine)
    return engine


@pytest.fixture
def app_without_database(tmp_path: Path) -> Flask:
    """An application on a file that is not there yet."""
    return create_app({"SECRET_KEY": "s", "STORE": str(tmp_path), "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/a"})


@pytest.mark.parametrize(
    ("version", "bad"),
    [
        ((3, 40, 1), True),
        ((3, 46, 1), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
    ],
)
def test_sqlite_versions_that_can_lose_a_commit_are_recognised(version: tuple[int, ...], bad: bool) -> None:
    """https://sqlite.org/wal.html: 3.7.0 to 3.51.2, but for two branches that were fixed."""
    assert sqlite.loses_commits(version) == bad


def test_the_sqlite_library_in_use_is_fixed_and_has_full_text_search() -> None:
    assert not sqlite.loses_commits(sqlite.library.sqlite_version_info)
    sqlite.library.connect(":memory:").execute("CREATE VIRTUAL TABLE found USING fts5(title)")


@pytest.mark.slow
@pytest.mark.skipif(not sqlite.loses_commits(of_the_system), reason="the SQLite of this system is fixed")
def test_the_application_does_not_start_with_an_old_sqlite_library(tmp_path: Path) -> None:
    """As on a machine for which pysqlite3 has no wheel. In memory there is no second process."""
    script = (
        "import sys; sys.modules['pysqlite3'] = None\n"
        "from app import create_app\n"
        "for address in sys.argv[2:]:\n"
        "    create_app({'SECRET_KEY': 's', 'STORE': sys.argv[1], 'SQLALCHEMY_DATABASE_URI': address})\n"
        "    print('started')"
    )
    addresses = ("sqlite://", "postgresql+psycopg://x@127.0.0.1:1/x", f"sqlite:///{tmp_path}/a.sqlite")
    command = [sys.executable, "-c", script, str(tmp_path), *addresses]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "started\n" * 2)
    version = ".".join(map(str, of_the_system))
    assert f"SQLite {version} 在多个进程同时写入时可能丢失数据，不能使用。请安装 pysqlite3" in done.stderr


@pytest.mark.slow
def test_only_one_module_imports_a_sqlite_library() -> None:
    """Application, commands, backup, simulated customs: a second library could bring the lost commits back."""
    for module in [ROOT / "app.py", *ROOT.glob("models/**/*.py"), *ROOT.glob("views/**/*.py")]:
        nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
        named = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
        named |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        found = {name.split(".")[0] for name in named} & {"sqlite3", "pysqlite3", "apsw"}
        assert not found or module == ROOT / "models/database/sqlite_queue.py", module


def pragmas_of(engine: Engine) -> list[object]:
    """Four pragmas of a new connection."""
    names = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
    with engine.connect() as connection:
        assert isinstance(connection.connection.driver_connection, sqlite.library.Connection)
        return [connection.scalar(text(f"PRAGMA {name}")) for name in names]


@pytest.mark.slow
def test_every_connection_has_the_same_pragmas(app_without_database: Flask) -> None:
    """Read from live connections: pooled, after a migration, in another thread."""
    with app_without_database.app_context():
        engine = db.engine
        upgrade()
        with engine.connect() as first, engine.connect() as second:
            assert first.connection.driver_connection is not second.connection.driver_connection
            found = [pragmas_of(engine)]
        engine.dispose()
        found += [pragmas_of(engine), pragmas_of(engine)]
    thread = Thread(target=lambda: found.append(pragmas_of(engine)))
    thread.start()
    thread.join()
    assert found == [["wal", 1, 2, 30_000]] * 4
    engine.dispose()


def test_a_memory_database_enforces_foreign_keys() -> None:
    app = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"})
    with app.app_context():
        assert pragmas_of(db.engine)[1:3] == [1, 2]


def test_opening_a_new_file_waits_for_another_process_that_creates_it(tmp_path: Path) -> None:
    """Two processes start on a new file: the busy timeout does not apply to the switch to a write-ahead log."""
    path, trying = tmp_path / "new.sqlite", Event()
    other = sqlite.library.connect(str(path), isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE t (a)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO t VALUES (1)")
    found: list[object] = []

    def second() -> None:
        trying.set()
        found.extend(pragmas_of(engine_on(path)))

    thread = Thread(target=second)
    thread.start()
    trying.wait()
    thread.join(timeout=0.3)
    other.execute("COMMIT")
    thread.join()
    assert found == ["wal", 1, 2, 30_000]


def test_a_write_takes_its_lock_at_once(tmp_path: Path) -> None:
    """IMMEDIATE: a writing transaction never reads stale rows; a rollback undoes DDL too."""
    engine = engine_on(tmp_path / "a.sqlite")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a UNIQUE)"))
    with engine.connect() as writer, engine.connect() as other:
        writer.execute(text("INSERT INTO t VALUES (1)"))
        sqlite.set_busy_timeout(other.connection.driver_connection, 0)
        assert other.scalar(text("SELECT count(*) FROM t")) == 0
        with pytest.raises(Exception, match="locked"):
            other.execute(text("UPDATE t SET a = 2"))
        writer.rollback()
    engine.dispose()


WRITER = """
import sys
from sqlalchemy import create_engine, text
from models.database import sqlite
engine = create_engine(f"sqlite:///{sys.argv[1]}", **sqlite.options())
sqlite.prepare(engine)
for number in range(int(sys.argv[3])):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO done VALUES (:by, :number)"), {"by": sys.argv[2], "number": number})
    with engine.connect() as connection:
        connection.execute(text(f"PRAGMA wal_checkpoint({('PASSIVE', 'RESTART', 'TRUNCATE')[number % 3]})"))
"""


@pytest.mark.slow
def test_no_commit_is_lost_when_many_processes_checkpoint(tmp_path: Path) -> None:
    """Tests how we open files; it cannot prove that a race of nanoseconds is impossible."""
    path = tmp_path / "shared.sqlite"
    engine = engine_on(path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE done (by, number, UNIQUE (by, number))"))
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, str(by), str(COMMITS)], cwd=ROOT) for by in range(WRITERS)]
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM done")) == WRITERS * COMMITS
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    engine.dispose()
