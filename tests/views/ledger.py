"""Everything the database keeps, read past the row guard: to show that an attack has changed nothing at all."""

from typing import Any

from flask import Flask
from sqlalchemy import select

from models.database import db

Ledger = dict[str, list[Any]]
# /healthz writes to see if it can; the log tells who downloaded what.
COMINGS_AND_GOINGS = {"visit", "spent_challenge", "signin_failure", "heartbeat", "log_entry"}


def ledger(app: Flask) -> Ledger:
    """Table → its rows, but for who signed in when."""
    tables = [table for table in db.metadata.sorted_tables if table.name not in COMINGS_AND_GOINGS]
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: list(connection.execute(select(table).order_by(*table.primary_key)).all()) for table in tables
        }
