"""PostgreSQL plans a search for each word anew, and what triggers and foreign keys ask of each row once."""

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text, update

from models.application import Application
from models.database import db
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["postgresql"], indirect=True)


def mode(connection: Connection) -> str:
    return str(connection.scalar(text("SHOW plan_cache_mode")))


def test_plans_are_kept_from_the_first_write_of_a_transaction_to_its_end(
    app: Flask, make_application: MakeApplication
) -> None:
    key = make_application()
    writing = update(Application).where(Application.id == key).values(changed_at=Application.changed_at)
    with app.app_context(), db.engine.connect() as connection:
        for _transaction in range(2):
            connection.execute(select(Application.id))
            assert mode(connection) == "force_custom_plan"
            connection.execute(writing)
            connection.execute(writing)
            assert mode(connection) == "auto"
            connection.rollback()
        connection.execute(writing)
        connection.commit()
        assert mode(connection) == "force_custom_plan"
