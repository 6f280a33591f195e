"""The steps of the database: they build what the models describe, and can be walked down and up again."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, Table, insert, inspect, select, text

from app import create_app
from models import guards
from models.application import search_key
from models.db import db, migrate
from tests.conftest import made


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database."""

    def on(address: str) -> Flask:
        return create_app({"SQLALCHEMY_DATABASE_URI": address, "SECRET_KEY": "x", "STORE": str(tmp_path / "store")})

    if request.param == "sqlite":
        yield on(f"sqlite:///{tmp_path}/filing.sqlite")
        return
    with made(request.getfixturevalue("postgresql"), f"filing_steps_{id(request)}") as address:
        app = on(address)
        yield app
        with app.app_context():
            db.engine.dispose()


def differences(connection: Connection) -> list[Any]:
    """What Alembic would still have to change."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, db.metadata))


def computed(connection: Connection, table: str) -> dict[str, str]:
    """Computed columns and what they say: Alembic does not compare these."""
    columns = inspect(connection).get_columns(table)
    words = {column["name"]: column["computed"]["sqltext"] for column in columns if "computed" in column}
    return {name: "".join(sign for sign in said if sign.isalnum() or sign == "_") for name, said in words.items()}


def test_the_steps_build_exactly_what_the_models_describe(blank: Flask) -> None:
    with blank.app_context():
        upgrade()
        with db.engine.connect() as connection:
            assert differences(connection) == []
            by_steps = computed(connection, "application")
        db.drop_all()
        db.create_all()
        with db.engine.connect() as connection:
            assert computed(connection, "application") == by_steps
    assert set(by_steps) >= {"owner_id", "desk", "issued"}


def test_down_to_nothing_and_up_again(blank: Flask) -> None:
    """A step that cannot be walked back leaves a broken release without a way out."""
    with blank.app_context():
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
            assert set(connection.execute(text(known)).scalars()) == set(guards.names())


def test_an_upgrade_that_has_been_made_may_be_repeated(blank: Flask) -> None:
    with blank.app_context():
        for _ in range(2):
            upgrade()
            with db.engine.connect() as connection:
                assert differences(connection) == []


def test_the_steps_are_one_line_and_sort_by_name() -> None:
    script = ScriptDirectory(str(migrate.directory))
    steps = [step.revision for step in script.walk_revisions()][::-1]
    assert len(script.get_heads()) == 1
    assert steps == sorted(steps)
    names = sorted(path.name for path in Path(migrate.directory, "versions").glob("*.py"))
    assert [name.split("_")[0] for name in names] == steps


def test_search_keys_of_old_titles_lose_what_nobody_sees(blank: Flask) -> None:
    """Step 0008, in batches; what was written stays, and a title without such signs is not touched."""
    titles = ["探戈\u200b精选", "葛\U000e0100城", "ＤＶＤ", *(f"第 {n} 辑" for n in range(6000)), None, "\u3164"]
    with blank.app_context():
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
            kept = connection.execute(select(table.c.title, table.c.title_key, table.c.version).order_by(table.c.id))
            found = kept.all()
        assert [row.title for row in found] == titles
        assert [row.title_key for row in found] == [title and search_key(title) for title in titles]
        assert {row.version for row in found} == {3}
