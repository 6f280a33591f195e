"""A temporary table of PostgreSQL does not replace one of the application; for the guards test_triggers.py tests it."""

import pytest
from flask import Flask
from sqlalchemy import text

from tests.apps import engine_of_owner
from tests.conftest import MakeApplication

WRITES = {
    "uncounted_act": (
        "INSERT INTO trail_entry (application_id, at, actor_name, act, before, after, previous, seal)"
        " SELECT application_id, at, actor_name, 'refuse', before, after, seal, '0' FROM trail_entry LIMIT 1"
    ),
    "search_publisher": "UPDATE application SET publisher_name = '另一家', publisher_sort = 'x'",
}


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", WRITES)
def test_what_triggers_note_goes_into_our_table(app: Flask, make_application: MakeApplication, table: str) -> None:
    make_application(status="draft")
    with app.app_context(), engine_of_owner(app).connect() as connection:
        count = text(f"SELECT count(*) FROM public.{table}")
        before = connection.scalar(count)
        connection.execute(text(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL)"))
        connection.execute(text(WRITES[table]))
        assert connection.scalar(count) == before + 1
