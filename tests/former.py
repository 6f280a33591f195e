"""Databases as former releases made them, with rows in them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask_migrate import upgrade
from sqlalchemy import MetaData, Table, insert

from models.database import computed_columns, db
from tests.apps import without_triggers

VIRTUAL_SINCE = "0005"


def bring_to(revision: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Create that release's schema in the empty database of this context, with three applications; their columns."""
    with monkeypatch.context() as then:
        if revision < VIRTUAL_SINCE:
            then.setattr(computed_columns, "KIND", "STORED")
        upgrade(revision=revision)
    there = MetaData()
    with db.engine.begin() as connection, without_triggers(connection):
        there.reflect(connection, only=["organisation", "application"])
        organisation, application = there.tables["organisation"], there.tables["application"]
        connection.execute(insert(organisation).values(values_of(organisation) | {"trade": "publisher"}))
        for key, status in enumerate(("draft", "pending", "revoked"), 1):
            row = values_of(application) | {"id": key, "number": str(key), "status": status, "province": "320000"}
            connection.execute(insert(application).values(row))
    db.engine.dispose()
    return [column.name for column in application.columns]


def values_of(table: Table) -> dict[str, Any]:
    """A value for every column that must not be empty."""
    kinds = {str: "1", int: 1, bool: True, datetime: datetime(2026, 1, 1, tzinfo=UTC), date: date(2026, 1, 1)}
    return {column.name: kinds[column.type.python_type] for column in table.columns if not column.nullable}
