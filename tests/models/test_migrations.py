"""The steps of the database: they build what the models describe, and can be walked down and up again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, inspect, text

from app import create_app
from models import guards
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


PEOPLE = [  # user name before, enabled, first password unused; user name after, and whether the former one is kept
    ("zhangsan", False, False, "zhangsan-5", True),  # disabled: gives way to whoever works
    ("ZhangSan", True, False, "zhangsan", False),
    ("ｚｈａｎｇｓａｎ", True, True, "zhangsan-4", True),  # never used: gives way too
    ("zhangsan\u200b", True, False, "zhangsan-3", True),
    ("zhangsan-2", True, False, "zhangsan-2", False),  # somebody's own name, and no suffix of ours
    ("Li Si", True, False, "li si", False),  # a blank inside: no new account may have one, an old one keeps it
    ("\u200b", True, False, "account-7", True),
    ("B" * 64, True, False, "b" * 64, False),
    ("b" * 64, True, False, "b" * 62 + "-2", True),
]


def put_in(connection: Connection, people: list[Any]) -> None:
    """Accounts as they stood before 0006."""
    add = text(
        "INSERT INTO account (id, username, name, role, password_hash, must_change, active, failures)"
        " VALUES (:id, :username, '某人', 'operator', 'x', :unused, :active, 0)"
    )
    for key, (username, active, unused, *_after) in enumerate(people, start=1):
        connection.execute(add, {"id": key, "username": username, "active": active, "unused": unused})


def test_user_names_that_become_one_are_told_apart_and_nobody_is_lost(
    blank: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    with blank.app_context():
        upgrade(revision="0004")
        with db.engine.begin() as connection:
            put_in(connection, PEOPLE)
        upgrade()
        told = capsys.readouterr().out
        with db.engine.connect() as connection:
            rows = connection.execute(text("SELECT username, former_username FROM account ORDER BY id")).all()
    assert [row.username for row in rows] == [after for *_before, after, _marked in PEOPLE]
    for row, (before, *_others, after, marked) in zip(rows, PEOPLE, strict=True):
        assert row.former_username == (before if marked else None)
        assert (f"已改为“{after}”" in told) is marked
    assert "用户名“zhangsan<U+200B>”" in told
