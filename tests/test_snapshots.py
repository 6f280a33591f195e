"""A snapshot is used only where making again would give the same."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from models.acts import drafts
from models.database import db
from tests.apps import PreparedApp, is_on_sqlite
from tests.cast import FIELDS, perform_step
from tests.conftest import MakeApplication, Record, StoredRows
from tests.snapshots import QUEUES, Maker, PostgresqlSnapshots, Snapshots, SqliteSnapshots


@pytest.mark.slow
def test_a_restored_application_equals_a_newly_made_one(
    app: Flask, on_sqlite: PreparedApp, request: pytest.FixtureRequest, stored_rows: StoredRows, tmp_path: Path
) -> None:
    """Row by row, but for the moment since which papers and messages wait; and acts go on with it."""
    if is_on_sqlite(app):
        shared = on_sqlite.snapshots
        assert isinstance(shared, SqliteSnapshots)
        own: Snapshots = SqliteSnapshots(shared.database, shared.fresh, tmp_path)
        renew = on_sqlite.renew
    else:
        others = request.getfixturevalue("on_postgresql").snapshots
        assert isinstance(others, PostgresqlSnapshots)
        own = PostgresqlSnapshots(others.connection, tmp_path, "own_")
        renew = own.renew
    _first, made, restored = (turn(app, renew, own, stored_rows) for _ in range(3))
    assert len(own.remembered) == 2
    assert made == restored
    other = turn(app, renew, own, stored_rows, title="另一个")
    assert [record["application"][0]["title"] for record in other] == [FIELDS["title"], "另一个"]


def turn(
    app: Flask, renew: Callable[[], object], snapshots: Snapshots, stored_rows: StoredRows, **fields: str
) -> list[Record]:
    """All stored rows of two applications on a fresh database, the second with these fields, before other acts."""
    for _try in range(3):  # a process that an earlier test has left may commit meanwhile: then nothing is restored
        snapshots.close()
        with app.app_context():
            db.engine.dispose()
        renew()
        shutil.rmtree(app.config["STORE"], ignore_errors=True)
        maker = Maker(app, snapshots)
        keys = maker(status="filed"), maker(by="agent", carriers=2, **fields)
        if maker.calls is not None:
            break
    with closing(snapshots):
        records = [stored_rows(key) for key in keys]
        perform_step(app, True, keys[0], "publisher")
        assert stored_rows(keys[0])["application"][0]["status"] == "customs_received"
        assert maker(status="pending") == keys[1] + 1
    for record in records:
        for row in (row for table in QUEUES for row in record[table]):
            assert row.pop("queued_at")
    return records


@pytest.mark.parametrize("change", ["a commit", "a setting", "a file"])
def test_an_application_after_other_changes_is_newly_made(
    make_application: MakeApplication, app: Flask, change: str
) -> None:
    key = make_application()
    assert isinstance(make_application, Maker)
    if change == "a commit":
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("UPDATE application SET phone = '025-1'"))
    elif change == "a setting":
        app.config["VALID_DAYS"] = "30"
    elif change == "a file":
        next(file for file in make_application.store.rglob("*") if file.is_file()).touch()
    assert make_application() == key + 1
    assert make_application.calls is None


@pytest.mark.parametrize("kind", ["fixture", "context", "own"])
def test_an_application_after_a_patch_is_newly_made(
    make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whoever patches: the test's fixture, a context of it, or a MonkeyPatch of its own."""
    make_application()
    assert isinstance(make_application, Maker)
    assert make_application.calls is not None
    with monkeypatch.context() as inner, pytest.MonkeyPatch.context() as own:
        patch = {"fixture": monkeypatch, "context": inner, "own": own}[kind]
        patch.setattr(drafts, "start", drafts.start)
        make_application()
    assert make_application.calls is None


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_database_with_commits_in_its_log_alone_is_not_fresh(app: Flask, on_sqlite: PreparedApp) -> None:
    """A visit that began a moment ago would be lost when a snapshot is put back."""
    shared = on_sqlite.snapshots
    assert isinstance(shared, SqliteSnapshots) and shared.is_fresh()
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE account SET email = 'a@example.cn'"))
    assert not shared.is_fresh()
