"""`backup`, `restore` and `sweep`: a backup is restored unchanged, and a sweep spares every file with a row."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, inspect, select

from app import create_app
from models import access, backup, clock
from models.application.attachments import Attachment, Store
from models.database import db, migrate
from tests import former
from tests.apps import new_database
from tests.conftest import MakeApplication
from tests.views.terminal.commands import everything_in, run_command


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
    with new_database(request.getfixturevalue("postgresql"), f"filing_elsewhere_{os.getpid()}") as address:
        yield create_app(settings | {"SQLALCHEMY_DATABASE_URI": address})


@pytest.fixture(params=["sqlite", "postgresql"])
def on_empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Flask]]:
    """`on_empty_database(name)`: an application on an empty database of that name."""
    with ExitStack() as stack:

        def opened(name: str) -> Flask:
            address = f"sqlite:///{tmp_path}/{name}.sqlite"
            if request.param == "postgresql":
                server = request.getfixturevalue("postgresql")
                address = stack.enter_context(new_database(server, f"filing_{name}_{os.getpid()}"))
            settings = {"SECRET_KEY": "x", "STORE": str(tmp_path / f"{name}-store")}
            return create_app(settings | {"SQLALCHEMY_DATABASE_URI": address})

        yield opened


def seals_in(app: Flask) -> list[tuple[Any, ...]]:
    """The rows of log_seal; the next command that verifies would make missing ones anew."""
    with app.app_context(), db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(db.metadata.tables["log_seal"]))]


def verify_twice(app: Flask) -> None:
    """The log has an entry, and its seal."""
    for _time in range(2):
        assert run_command(app, "trail", "verify").exit_code == 0


@pytest.mark.parametrize("schema", ["no schema", "an empty schema"])
def test_a_restored_backup_equals_the_original(
    app: Flask, address: str, empty_app: Flask, make_application: MakeApplication, tmp_path: Path, schema: str
) -> None:
    """From a folder and from a bucket; compared by content."""
    app.config["STORE"], empty_app.config["STORE"] = address, f"{address}-elsewhere"
    assert run_command(app, "upgrade").exit_code == 0
    make_application(status="customs_received", carriers=3)
    make_application(by="agent", status="returned")
    verify_twice(app)
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    if schema == "an empty schema":
        assert run_command(empty_app, "upgrade").exit_code == 0
        verify_twice(empty_app)
    answer = run_command(empty_app, "restore", tmp_path / "backup")
    assert answer.exit_code == 0, answer.output
    assert everything_in(empty_app) == everything_in(app)
    assert seals_in(empty_app) == seals_in(app) != []
    assert run_command(empty_app, "backup", tmp_path / "again").exit_code == 0
    assert files_of(tmp_path / "again") == files_of(tmp_path / "backup") != {}
    assert run_command(empty_app, "upgrade").exit_code == 0
    assert run_command(empty_app, "trail", "verify").exit_code == 0
    with empty_app.app_context(), pytest.raises(Exception, match="留痕"), db.engine.begin() as connection:
        connection.execute(delete(db.metadata.tables["trail_entry"]))


STEPS = sorted(path.name[:4] for path in Path(migrate.directory, "versions").glob("0*.py"))
ON_POSTGRESQL = STEPS if "BOTH" in os.environ else STEPS[::5]  # every database is upgraded in models/migrations


@pytest.mark.parametrize(
    ("on_empty_database", "schema"),
    [*(("sqlite", step) for step in STEPS), *(("postgresql", step) for step in ON_POSTGRESQL)],
    indirect=["on_empty_database"],
)
def test_a_backup_of_every_former_release_is_upgraded_by_restore(
    on_empty_database: Callable[[str], Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: str
) -> None:
    """Made with the migrations up to that release; the manifest has no schema, as then."""
    folder, old, new = tmp_path / "backup", on_empty_database("old"), on_empty_database("new")
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


def test_restore_into_a_database_with_rows_is_refused(
    app: Flask, make_application: MakeApplication, tmp_path: Path
) -> None:
    make_application()
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    before = everything_in(app)
    answer = run_command(app, "restore", tmp_path / "backup")
    assert answer.exit_code == 1
    assert "请恢复到空数据库" in answer.output
    assert everything_in(app) == before


@pytest.mark.parametrize("harm", ["changed", "lost", "no manifest"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    app: Flask, empty_app: Flask, make_application: MakeApplication, tmp_path: Path, harm: str
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
    app: Flask, make_application: MakeApplication, tmp_path: Path
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


def test_a_backup_without_pg_dump_is_refused_with_the_package_name(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = run_command(app, "backup", tmp_path / "backup")
    on_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    assert answer.exit_code == (0 if on_sqlite else 1)
    assert ("postgresql-client" in answer.output) != on_sqlite
