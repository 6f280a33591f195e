"""Backup, its way back, and the broom: what is kept comes back the same, and nothing that is named is swept."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, inspect, select

from app import create_app
from models import access, backup, clock
from models.application.attachments import Attachment, Store
from models.database import db, migrate
from models.people.sessions import SpentChallenge, Visit
from models.people.signin_failures import SigninFailure
from tests import former
from tests.conftest import made
from tests.stores import grow_old

Making = Callable[..., int]
Rows = dict[str, list[str]]


def told(app: Flask, *words: str | Path) -> Result:
    """What the terminal answers."""
    return app.test_cli_runner().invoke(args=[str(word) for word in words])


def everything_in(app: Flask) -> tuple[Rows, set[str]]:
    """Every row of every table, and every digest in the store."""
    with app.app_context(), db.engine.connect() as connection:
        rows = {
            table.name: sorted(str(tuple(row)) for row in connection.execute(select(table)))
            for table in db.metadata.sorted_tables
        }
        db.engine.dispose()
    return rows, set(Store(app.config["STORE"]).kept())


def files_of(folder: Path) -> dict[str, bytes]:
    """The kept bytes in a backup, by name."""
    return {path.name: path.read_bytes() for path in (folder / "store").rglob("*") if path.is_file()}


@pytest.fixture
def elsewhere(app: Flask, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """Another machine: the same kind of database, with nothing in it, and a store of its own."""
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
    app: Flask, address: str, elsewhere: Flask, make_application: Making, tmp_path: Path, schema: str
) -> None:
    """Whatever the register lies on, a folder or a bucket; what comes back is asked by its content."""
    app.config["STORE"], elsewhere.config["STORE"] = address, f"{address}-elsewhere"
    assert told(app, "upgrade").exit_code == 0
    make_application(status="customs_received", carriers=3)
    make_application(by="agent", status="returned")
    assert told(app, "backup", tmp_path / "kept").exit_code == 0
    if schema == "an empty schema":
        assert told(elsewhere, "upgrade").exit_code == 0
    answer = told(elsewhere, "restore", tmp_path / "kept")
    assert answer.exit_code == 0, answer.output
    assert everything_in(elsewhere) == everything_in(app)
    assert told(elsewhere, "backup", tmp_path / "again").exit_code == 0
    assert files_of(tmp_path / "again") == files_of(tmp_path / "kept") != {}
    assert told(elsewhere, "upgrade").exit_code == 0
    assert told(elsewhere, "trail", "verify").exit_code == 0
    with elsewhere.app_context(), pytest.raises(Exception, match="留痕"), db.engine.begin() as connection:
        connection.execute(delete(db.metadata.tables["trail_entry"]))


STEPS = sorted(path.name[:4] for path in Path(migrate.directory, "versions").glob("0*.py"))


@pytest.mark.parametrize("schema", STEPS)
def test_a_backup_of_every_former_release_is_brought_to_the_present(
    on_nothing: Callable[[str], Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: str
) -> None:
    """Made by the steps themselves, in the form of then: the manifest did not tell the schema."""
    kept, old, new = tmp_path / "kept", on_nothing("old"), on_nothing("new")
    kept.mkdir()
    with old.app_context():
        former.bring_to(schema, monkeypatch)
        backup._dump(db.engine, kept / "database")
        parts = {"database": backup.digest_of(kept / "database")}
        (kept / "manifest.json").write_text(json.dumps({"database": db.engine.dialect.name, "parts": parts}))
    answer = told(new, "restore", kept)
    assert answer.exit_code == 0, answer.output
    rows, _digests = everything_in(new)
    assert len(rows["application"]) == 3
    assert told(new, "upgrade").exit_code == 0
    assert everything_in(new)[0]["application"] == rows["application"]
    assert told(new, "backup", tmp_path / "again").exit_code == 0
    assert json.loads((tmp_path / "again" / "manifest.json").read_text())["schema"] == STEPS[-1]


def test_a_backup_of_a_release_to_come_is_refused_before_anything_is_written(
    app: Flask, elsewhere: Flask, tmp_path: Path
) -> None:
    assert told(app, "backup", tmp_path / "kept").exit_code == 0
    manifest = tmp_path / "kept" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"schema": "9999"}))
    answer = told(elsewhere, "restore", tmp_path / "kept")
    assert (answer.exit_code, answer.output) == (1, "备份来自更新的版本（9999），请先升级本系统，再恢复。\n")
    with elsewhere.app_context():
        assert inspect(db.engine).get_table_names() == []


def test_a_register_in_use_is_not_written_over(app: Flask, make_application: Making, tmp_path: Path) -> None:
    make_application()
    assert told(app, "backup", tmp_path / "kept").exit_code == 0
    before = everything_in(app)
    answer = told(app, "restore", tmp_path / "kept")
    assert answer.exit_code == 1
    assert "请恢复到空数据库" in answer.output
    assert everything_in(app) == before


@pytest.mark.parametrize("harm", ["changed", "lost", "no manifest"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    app: Flask, elsewhere: Flask, make_application: Making, tmp_path: Path, harm: str
) -> None:
    make_application(status="pending")
    kept = tmp_path / "kept"
    assert told(app, "backup", kept).exit_code == 0
    part = next((kept / "store").glob("??/*"))
    match harm:
        case "changed":
            part.write_bytes(b"something else")
        case "lost":
            part.unlink()
        case _:
            (kept / "manifest.json").unlink()
    answer = told(elsewhere, "restore", kept)
    assert answer.exit_code == 1
    assert ("没有备份清单" if harm == "no manifest" else "缺失或与清单不符") in answer.output
    assert list(Store(elsewhere.config["STORE"]).kept()) == []


def test_a_backup_of_another_kind_of_database_is_refused(app: Flask, elsewhere: Flask, tmp_path: Path) -> None:
    assert told(app, "backup", tmp_path / "kept").exit_code == 0
    manifest = tmp_path / "kept" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"database": "oracle"}))
    answer = told(elsewhere, "restore", tmp_path / "kept")
    assert (answer.exit_code, answer.output) == (1, "备份来自 oracle，请恢复到同类数据库。\n")


def test_a_backup_tells_which_attachments_are_lost_or_damaged(
    app: Flask, make_application: Making, tmp_path: Path
) -> None:
    make_application()
    with app.app_context(), access.everything() as session:
        lost, damaged = session.scalars(select(Attachment).limit(2)).all()
    Store(app.config["STORE"]).remove(lost.digest, before=clock.now() + timedelta(days=1))
    (Path(app.config["STORE"]) / damaged.digest[:2] / damaged.digest).write_bytes(b"%PDF-")
    answer = told(app, "backup", tmp_path / "kept")
    assert answer.exit_code == 1
    assert "缺失或已损坏" in answer.output
    assert lost.name in answer.output
    assert damaged.name in answer.output


def test_a_folder_with_something_in_it_is_left_alone(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine").touch()
    answer = told(app, "backup", tmp_path / "kept")
    assert (answer.exit_code, "请另选一个空文件夹" in answer.output) == (1, True)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["mine"]


def test_without_the_programs_of_postgresql_the_terminal_says_what_to_install(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = told(app, "backup", tmp_path / "kept")
    on_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    assert answer.exit_code == (0 if on_sqlite else 1)
    assert ("postgresql-client" in answer.output) != on_sqlite


def test_the_broom_takes_old_leftovers_and_nothing_that_is_named(
    app: Flask, address: str, make_application: Making
) -> None:
    app.config["STORE"], store = address, Store(address)
    make_application(status="pending")
    _rows, named = everything_in(app)
    old, young = store.keep(b"old"), store.keep(b"young")
    for digest in named | {old}:
        grow_old(address, digest)
    answer = told(app, "sweep")
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[:2] == ["无主文件：清理 1 项。", "未传完的文件：清理 0 项。"]
    assert everything_in(app)[1] == named | {young}


def test_the_broom_takes_uploads_that_broke_off_long_ago(app: Flask) -> None:
    """In a folder they lie beside what is kept."""
    Path(app.config["STORE"]).mkdir()
    arriving, dead = (Store(app.config["STORE"]).place.folder / f"incoming-{age}" for age in ("young", "old"))
    arriving.touch()
    dead.touch()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(dead, (long_ago, long_ago))
    answer = told(app, "sweep")
    assert answer.output.splitlines()[:2] == ["无主文件：清理 0 项。", "未传完的文件：清理 1 项。"]
    assert (arriving.exists(), dead.exists()) == (True, False)


NAMELESS = {
    "account.username",
    "account.former_username",
    "certificate.digest",  # of its content, which lies in the row
    "customs_message.message_id",
    "customs_receipt.digest",  # of bytes that lie in the row
    "signin_failure.name_hash",
    "signin_failure.place_hash",
    "spent_challenge.nonce",
    "trail_entry.previous",
    "trail_entry.seal",
    "visit.browser_hash",
    "visit.token_hash",
}


def test_every_column_that_may_name_kept_bytes_is_known_to_backup_and_broom() -> None:
    """A new one as long as a SHA-256 is argued for here, or spared there: else a sweep would lose papers."""
    long_enough = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if getattr(column.type, "length", None) == 64
    }
    assert long_enough - NAMELESS == {str(digest.property.columns[0]) for digest, _name in backup.NAMED}


def test_the_broom_takes_spent_challenges_and_visits_of_half_a_year_ago(app: Flask) -> None:
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
    assert told(app, "sweep").exit_code == 0
    with app.app_context(), access.everything() as session:
        assert set(session.scalars(select(SpentChallenge.nonce))) == {"just now"}
        assert set(session.scalars(select(SigninFailure.name_hash))) == {"just now", "last week"}
        assert set(session.scalars(select(Visit.token_hash))) == {"just now", "last week", "left open"}
