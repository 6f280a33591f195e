"""Migrations build what the models describe, and can be downgraded and upgraded again."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, Table, column, insert, inspect, select, table, text

from models.application import Application
from models.database import computed_columns, db, migrate, publisher_names, search, triggers, uncounted_acts
from models.text import search_key
from tests import former


def _is_of_the_models(name: str | None, _kind: str, _parents: Any) -> bool:
    return not (name or "").startswith(search.PREFIX)


def differences(connection: Connection) -> list[Any]:
    """What Alembic would still have to change."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_of_the_models})
    return list(compare_metadata(context, db.metadata))


def test_the_migrations_build_exactly_the_schema_of_the_models(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            assert differences(connection) == []
            for each in db.metadata.sorted_tables:
                assert computed_columns.expressions(connection, each.name) == computed_columns.expected(
                    connection, each
                )
            assert computed_columns.expressions(connection, "application").keys() >= {"owner_id", "desk", "issued"}
        db.drop_all(bind_key=None)  # another test of this process may have had a replica
        db.create_all(bind_key=None)
        with db.engine.connect() as connection:
            assert differences(connection) == []


def test_every_migration_downgrades_and_upgrades_again(empty_app: Flask) -> None:
    """Without a downgrade there is no way back from a broken release."""
    with empty_app.app_context():
        upgrade()
        downgrade(revision="base")
        with db.engine.connect() as connection:
            assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
        upgrade()
        with db.engine.connect() as connection:
            assert differences(connection) == []
            known = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if db.engine.dialect.name == "postgresql":
                known = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
            searching = {*publisher_names.TRIGGERS, uncounted_acts.TRIGGER}
            searching |= set(search.TRIGGERS) if db.engine.dialect.name == "sqlite" else set()
            assert (
                set(connection.execute(text(known)).scalars())
                == set(triggers.names(db.engine.dialect.name)) | searching
            )


def test_an_upgrade_can_be_repeated(empty_app: Flask) -> None:
    with empty_app.app_context():
        for _ in range(2):
            upgrade()
            with db.engine.connect() as connection:
                assert differences(connection) == []


def test_the_migrations_have_one_head_and_sort_by_name() -> None:
    script = ScriptDirectory(str(migrate.directory))
    steps = [step.revision for step in script.walk_revisions()][::-1]
    assert len(script.get_heads()) == 1
    assert steps == sorted(steps)
    names = sorted(path.name for path in Path(migrate.directory, "versions").glob("*.py"))
    assert [name.split("_")[0] for name in names] == steps


def test_a_changed_expression_of_a_computed_column_is_detected(
    empty_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the vocabulary without a migration fails the test above."""
    with empty_app.app_context():
        upgrade()
        monkeypatch.setattr(
            Application.__table__.c.issued.computed, "sqltext", text("CASE WHEN status = 'x' THEN 1 END")
        )
        with db.engine.connect() as connection:
            found = differences(connection)
    indexes = [index for index in Application.__table__.indexes if "issued" in index.columns]
    assert [change[0] for change in found] == [
        *["remove_index"] * len(indexes), "remove_column", "add_column", *["add_index"] * len(indexes)
    ]  # fmt: skip
    assert {change[3].name for change in found if change[0].endswith("_column")} == {"issued"}


def test_stored_columns_of_a_former_release_become_virtual_ones(
    empty_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite; rows, indexes and computed values stay. On PostgreSQL nothing changes."""
    with empty_app.app_context():
        columns = former.bring_to("0004", monkeypatch)
        with db.engine.connect() as connection:
            before = select(*map(column, columns)).select_from(table("application")).order_by(text("id"))
            rows = connection.execute(before).all()
            indexes = inspect(connection).get_indexes("application")
        upgrade(revision="0005")
        with db.engine.connect() as connection:
            assert connection.execute(before).all() == rows
            assert len(rows) == 3
            assert sorted(map(str, inspect(connection).get_indexes("application"))) == sorted(map(str, indexes))
            if empty_app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
                hidden = connection.execute(text("SELECT hidden FROM pragma_table_xinfo('application')")).scalars()
                assert [kind for kind in hidden if kind] == [2, 2, 2]


def test_search_keys_of_existing_titles_lose_invisible_characters(empty_app: Flask) -> None:
    """Migration 0008, in batches; titles stay as typed, and keys without such characters stay."""
    titles = ["探戈\u200b精选", "葛\U000e0100城", "ＤＶＤ", *(f"第 {n} 辑" for n in range(6000)), None, "\u3164"]
    with empty_app.app_context():
        upgrade(revision="0004")
        with db.engine.begin() as connection:
            moment = datetime(2026, 1, 1)
            organisation = {"credit_code": "12320000466000101W", "name": "x", "trade": "agent", "province": "320000"}
            units = Table("organisation", MetaData(), autoload_with=connection)
            connection.execute(insert(units).values(id=1, active=True, **organisation))
            same = {"version": 3, "status": "draft", "applicant_id": 1, "applicant_name": "x", "applicant_code": "x"}
            same |= {"created_at": moment, "changed_at": moment}
            rows = [
                same | {"number": f"SQ{n:012d}", "title": title, "title_key": title and f"{title}".casefold()}
                for n, title in enumerate(titles)
            ]
            table = Table("application", MetaData(), autoload_with=connection)
            connection.execute(insert(table), rows)
        upgrade()
        with db.engine.connect() as connection:
            result = connection.execute(select(table.c.title, table.c.title_key, table.c.version).order_by(table.c.id))
            found = result.all()
        assert [row.title for row in found] == titles
        assert [row.title_key for row in found] == [title and search_key(title) for title in titles]
        assert {row.version for row in found} == {3}
