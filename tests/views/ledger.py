"""All rows of the database, read without row security, to show that an attack has changed nothing."""

from typing import Any

from flask import Flask
from sqlalchemy import select

from models.database import db
from tests.apps import engine_of_owner

Ledger = dict[str, list[Any]]
# /healthz writes a row as a probe; the log has an entry for each download.
COMINGS_AND_GOINGS = {"visit", "spent_challenge", "signin_failure", "heartbeat", "log_entry"}


def ledger(app: Flask) -> Ledger:
    """Table → its rows, without sign-ins."""
    tables = [table for table in db.metadata.sorted_tables if table.name not in COMINGS_AND_GOINGS]
    with app.app_context(), engine_of_owner(app).connect() as connection:
        return {
            table.name: list(connection.execute(select(table).order_by(*table.primary_key)).all()) for table in tables
        }
