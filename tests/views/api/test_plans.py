"""The list of the interface is read newest first out of an index, also where amounts are asked for."""

import pytest
from flask import Flask

from models.database import db
from tests.views.api.reading import LIST, program
from tests.views.panel.test_plans import SCANS, SORTS, filled, statements  # noqa: F401

ASKED = (
    "amount_since=1000", "amount_until=9000", "amount_since=1000&status=revoked",
    "amount_since=1000&since=2000-01-01", "amount_since=1000&province=320000",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("who", ["national", "reviewer", "publisher"])
def test_a_list_by_amount_sorts_nothing(filled: Flask, who: str) -> None:  # noqa: F811
    """SQLite would look up all amounts and sort what it found; PostgreSQL knows how many there are."""
    reads = program(filled, who)
    for asked in ASKED:
        with statements(filled) as sent:
            assert reads.get(f"{LIST}?{asked}").status_code == 200
        lists = [(sql, values) for sql, values in sent if "\nFROM application " in sql and "ORDER BY" in sql]
        assert lists, asked
        with filled.app_context(), db.engine.connect() as connection:
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in lists]
        steps = [str(row[-1]) for rows in plans for row in rows]
        assert not [step for step in steps if SORTS.search(step) or SCANS.search(step)], (asked, steps)
