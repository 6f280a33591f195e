"""Databases as former releases made them, with rows in them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask_migrate import upgrade
from sqlalchemy import Connection, MetaData, Table, insert

from models.database import computed_columns, db
from tests.apps import without_triggers

VIRTUAL_SINCE = "0005"


def bring_to(revision: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Create that release's schema in the empty database of this context, with three applications; their columns."""
    with monkeypatch.context() as then:
        if revision < VIRTUAL_SINCE:
            then.setattr(computed_columns, "KIND", "STORED")
        upgrade(revision=revision)
    with db.engine.begin() as connection, without_triggers(connection):
        (application,) = tables_with_an_organisation(connection, "application")
        for key, status in enumerate(("draft", "pending", "revoked"), 1):
            add_row(connection, application, id=key, number=str(key), status=status, province="320000")
    db.engine.dispose()
    return [column.name for column in application.columns]


def tables_with_an_organisation(connection: Connection, *names: str) -> list[Table]:
    """These tables as the database has them now, after one organisation with the id 1 was inserted."""
    there = MetaData()
    there.reflect(connection, only=["organisation", *names])
    add_row(connection, there.tables["organisation"], trade="publisher")
    return [there.tables[name] for name in names]


def add_row(connection: Connection, table: Table, **values: Any) -> None:
    """Insert a row with these values, and others where one must not be empty; without `id` the database gives it."""
    needed = {name: value for name, value in values_of(table).items() if name != "id"}
    connection.execute(insert(table).values(needed | values))


def values_of(table: Table) -> dict[str, Any]:
    """A value for every column that must not be empty."""
    kinds = {str: "1", int: 1, bool: True, datetime: datetime(2026, 1, 1, tzinfo=UTC), date: date(2026, 1, 1)}
    return {column.name: kinds[column.type.python_type] for column in table.columns if not column.nullable}
