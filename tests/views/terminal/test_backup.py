"""`backup`, `restore` and `sweep`: a backup is restored unchanged, and a sweep spares every file with a row."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, inspect, select

from app import create_app
from models import access, backup, clock
from models.application.attachments import Attachment, Store
from models.database import db, migrate
from models.people.sessions import Visit
from models.people.signin_failures import SigninFailure
from models.people.spent_challenges import SpentChallenge
from tests import former
from tests.conftest import made
from tests.stores import grow_old

Making = Callable[..., int]
Rows = dict[str, list[str]]


def run_command(app: Flask, *words: str | Path) -> Result:
    """The result of a command."""
    return app.test_cli_runner().invoke(args=[str(word) for word in words])


def told(row: tuple[Any, ...]) -> bool:
    """Whether a row is what the log says of the commands that these tests run."""
    return not {"backed_up", "restored", "swept", "verified"}.isdisjoint(cell for cell in row if isinstance(cell, str))


def everything_in(app: Flask) -> tuple[Rows, set[str]]:
    """Every row of every table, and every digest in the store."""
    with app.app_context(), db.engine.connect() as connection:
        rows = {
            table.name: sorted(str(tuple(row)) for row in connection.execute(select(table)) if not told(tuple(row)))
            for table in db.metadata.sorted_tables
            if table.name != "heartbeat"  # /healthz writes there
        }
        db.engine.dispose()
    return rows, set(Store(app.config["STORE"]).digests())


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of the store in a backup, by digest."""
    return {path.name: path.read_bytes() for path in (folder / "store").rglob("*") if path.is_file()}


@pytest.fixture
def empty_app(app: Flask, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application with an empty database of the same kind, and its own store."""
    settings = {"SECRET_KEY": "x", "STORE": str(tmp_path / "elsewhere")}
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        yield create_app(settings | {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/elsewhere.sqlite"})
        return
    with made(request.getfixturevalue("postgresql"), f"filing_elsewhere_{os.getpid()}") as address:
        yield create_app(settings | {"SQLALCHEMY_DATABASE_URI": address})


@pytest.fixture(params=["sqlite", "postgresql"])
def on_nothing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Flask]]:
    """`on_nothing(name)`: an application on an empty database of that name."""
    with ExitStack() as stack:

        def opened(name: str) -> Flask:
            address = f"sqlite:///{tmp_path}/{name}.sqlite"
            if request.param == "postgresql":
                server = request.getfixturevalue("postgresql")
                address = stack.enter_context(made(server, f"filing_{name}_{os.getpid()}"))
            settings = {"SECRET_KEY": "x", "STORE": str(tmp_path / f"{name}-store")}
            return create_app(settings | {"SQLALCHEMY_DATABASE_URI": address})

        yield opened


@pytest.mark.parametrize("schema", ["no schema", "an empty schema"])
def test_what_was_backed_up_comes_back_the_same(
    app: Flask, address: str, empty_app: Flask, make_application: Making, tmp_path: Path, schema: str
) -> None:
    """From a folder and from a bucket; compared by content."""
    app.config["STORE"], empty_app.config["STORE"] = address, f"{address}-elsewhere"
    assert run_command(app, "upgrade").exit_code == 0
    make_application(status="customs_received", carriers=3)
    make_application(by="agent", status="returned")
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    if schema == "an empty schema":
        assert run_command(empty_app, "upgrade").exit_code == 0
    answer = run_command(empty_app, "restore", tmp_path / "backup")
    assert answer.exit_code == 0, answer.output
    assert everything_in(empty_app) == everything_in(app)
    assert run_command(empty_app, "backup", tmp_path / "again").exit_code == 0
    assert files_of(tmp_path / "again") == files_of(tmp_path / "backup") != {}
    assert run_command(empty_app, "upgrade").exit_code == 0
    assert run_command(empty_app, "trail", "verify").exit_code == 0
    with empty_app.app_context(), pytest.raises(Exception, match="留痕"), db.engine.begin() as connection:
        connection.execute(delete(db.metadata.tables["trail_entry"]))


STEPS = sorted(path.name[:4] for path in Path(migrate.directory, "versions").glob("0*.py"))


@pytest.mark.parametrize("schema", STEPS)
def test_a_backup_of_every_former_release_is_upgraded_by_restore(
    on_nothing: Callable[[str], Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: str
) -> None:
    """Made with the migrations up to that release; the manifest has no schema, as then."""
    folder, old, new = tmp_path / "backup", on_nothing("old"), on_nothing("new")
    folder.mkdir()
    with old.app_context():
        former.bring_to(schema, monkeypatch)
        backup._dump(db.engine, folder / "database")
        parts = {"database": backup.digest_of(folder / "database")}
        (folder / "manifest.json").write_text(json.dumps({"database": db.engine.dialect.name, "parts": parts}))
    answer = run_command(new, "restore", folder)
    assert answer.exit_code == 0, answer.output
    rows, _digests = everything_in(new)
    assert len(rows["application"]) == 3
    assert run_command(new, "upgrade").exit_code == 0
    assert everything_in(new)[0]["application"] == rows["application"]
    assert run_command(new, "backup", tmp_path / "again").exit_code == 0
    assert json.loads((tmp_path / "again" / "manifest.json").read_text())["schema"] == STEPS[-1]


def test_a_backup_of_a_later_release_is_refused_before_anything_is_written(
    app: Flask, empty_app: Flask, tmp_path: Path
) -> None:
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    manifest = tmp_path / "backup" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"schema": "9999"}))
    answer = run_command(empty_app, "restore", tmp_path / "backup")
    assert (answer.exit_code, answer.output) == (1, "备份来自更新的版本（9999），请先升级本系统，再恢复。\n")
    with empty_app.app_context():
        assert inspect(db.engine).get_table_names() == []


def test_restore_into_a_database_with_rows_is_refused(app: Flask, make_application: Making, tmp_path: Path) -> None:
    make_application()
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    before = everything_in(app)
    answer = run_command(app, "restore", tmp_path / "backup")
    assert answer.exit_code == 1
    assert "请恢复到空数据库" in answer.output
    assert everything_in(app) == before


@pytest.mark.parametrize("harm", ["changed", "lost", "no manifest"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    app: Flask, empty_app: Flask, make_application: Making, tmp_path: Path, harm: str
) -> None:
    make_application(status="pending")
    folder = tmp_path / "backup"
    assert run_command(app, "backup", folder).exit_code == 0
    part = next((folder / "store").glob("??/*"))
    match harm:
        case "changed":
            part.write_bytes(b"something else")
        case "lost":
            part.unlink()
        case _:
            (folder / "manifest.json").unlink()
    answer = run_command(empty_app, "restore", folder)
    assert answer.exit_code == 1
    assert ("没有备份清单" if harm == "no manifest" else "缺失或与清单不符") in answer.output
    assert list(Store(empty_app.config["STORE"]).digests()) == []


def test_a_backup_of_another_kind_of_database_is_refused(app: Flask, empty_app: Flask, tmp_path: Path) -> None:
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    manifest = tmp_path / "backup" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"database": "oracle"}))
    answer = run_command(empty_app, "restore", tmp_path / "backup")
    assert (answer.exit_code, answer.output) == (1, "备份来自 oracle，请恢复到同类数据库。\n")


def test_a_backup_reports_which_attachments_are_lost_or_damaged(
    app: Flask, make_application: Making, tmp_path: Path
) -> None:
    make_application()
    with app.app_context(), access.everything() as session:
        lost, damaged = session.scalars(select(Attachment).limit(2)).all()
    Store(app.config["STORE"]).remove(lost.digest, before=clock.now() + timedelta(days=1))
    (Path(app.config["STORE"]) / damaged.digest[:2] / damaged.digest).write_bytes(b"%PDF-")
    answer = run_command(app, "backup", tmp_path / "backup")
    assert answer.exit_code == 1
    assert "缺失或已损坏" in answer.output
    assert lost.name in answer.output
    assert damaged.name in answer.output


def test_a_backup_into_a_folder_with_files_is_refused(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "mine").touch()
    answer = run_command(app, "backup", tmp_path / "backup")
    assert (answer.exit_code, "请另选一个空文件夹" in answer.output) == (1, True)
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["mine"]


def test_without_the_programs_of_postgresql_the_refusal_names_the_package(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = run_command(app, "backup", tmp_path / "backup")
    on_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    assert answer.exit_code == (0 if on_sqlite else 1)
    assert ("postgresql-client" in answer.output) != on_sqlite


def test_sweep_deletes_old_orphans_and_no_file_with_a_row(app: Flask, address: str, make_application: Making) -> None:
    app.config["STORE"], store = address, Store(address)
    make_application(status="pending")
    _rows, files = everything_in(app)
    old, young = store.keep(b"old"), store.keep(b"young")
    for digest in files | {old}:
        grow_old(address, digest)
    answer = run_command(app, "sweep")
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[:2] == ["无主文件：清理 1 项。", "未传完的文件：清理 0 项。"]
    assert everything_in(app)[1] == files | {young}


def test_sweep_deletes_old_interrupted_uploads(app: Flask) -> None:
    """In a folder these are next to the stored files."""
    Path(app.config["STORE"]).mkdir()
    arriving, dead = (Store(app.config["STORE"]).place.folder / f"incoming-{age}" for age in ("young", "old"))
    arriving.touch()
    dead.touch()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(dead, (long_ago, long_ago))
    answer = run_command(app, "sweep")
    assert answer.output.splitlines()[:2] == ["无主文件：清理 0 项。", "未传完的文件：清理 1 项。"]
    assert (arriving.exists(), dead.exists()) == (True, False)


NAMELESS = {
    "notification.key",
    "calendar_feed.token_hash",
    "account.username",
    "log_entry.username",
    "log_entry.about",
    "account.former_username",
    "application.last_seal",
    "certificate.digest",  # of its content, which lies in the row
    "customs_message.message_id",
    "customs_receipt.digest",  # of bytes that lie in the row
    "signin_failure.name_hash",
    "signin_failure.place_hash",
    "spent_challenge.nonce",
    "trail_entry.digest",
    "trail_entry.previous",
    "trail_entry.seal",
    "visit.browser_hash",
    "visit.token_hash",
}


def test_every_column_that_may_refer_to_a_file_is_known_to_backup_and_sweep() -> None:
    """A new column as long as a SHA-256 is listed here or there: otherwise a sweep would delete its files."""
    long_enough = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if getattr(column.type, "length", None) == 64
    }
    assert long_enough - NAMELESS == {str(digest.property.columns[0]) for digest, _name in backup.FILE_COLUMNS}


def test_sweep_deletes_spent_challenges_and_visits_of_half_a_year_ago(app: Flask) -> None:
    now = clock.now()
    ages = {"just now": timedelta(), "last week": timedelta(days=7), "last year": timedelta(days=365)}
    with app.app_context(), access.everything() as session:
        for name, age in ages.items():
            moment = now - age
            session.add(SpentChallenge(nonce=name, spent_at=moment))
            session.add(SigninFailure(name_hash=name, place_hash="", address="", at=moment))
            session.add(Visit(token_hash=name, account_id=1, began_at=moment, seen_at=moment, ended_at=moment))
        session.add(Visit(token_hash="left open", account_id=1, began_at=now - ages["last year"], seen_at=now))
        session.commit()
    assert run_command(app, "sweep").exit_code == 0
    with app.app_context(), access.everything() as session:
        assert set(session.scalars(select(SpentChallenge.nonce))) == {"just now"}
        assert set(session.scalars(select(SigninFailure.name_hash))) == {"just now", "last week"}
        assert set(session.scalars(select(Visit.token_hash))) == {"just now", "last week", "left open"}
