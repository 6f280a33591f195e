"""Run commands, and read everything that they may have changed."""

from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from models.application.attachments import Store
from models.database import db

Rows = dict[str, list[str]]


def run_command(app: Flask, *words: str | Path) -> Result:
    """The result of a command."""
    return app.test_cli_runner().invoke(args=[str(word) for word in words])


def is_log_entry(row: tuple[Any, ...]) -> bool:
    """Whether a row is the log entry of a command that these tests run."""
    kinds = {"backed_up", "backup_failed", "restored", "restore_failed", "swept", "verified", "drilled", "scanned"}
    return not kinds.isdisjoint(cell for cell in row if isinstance(cell, str))


def everything_in(app: Flask) -> tuple[Rows, set[str]]:
    """Every row of every table, and every digest in the store."""
    with app.app_context(), db.engine.connect() as connection:
        rows = {
            table.name: sorted(
                str(tuple(row)) for row in connection.execute(select(table)) if not is_log_entry(tuple(row))
            )
            for table in db.metadata.sorted_tables
            if table.name not in ("heartbeat", "log_seal")  # of /healthz; of the entries left out above, too
        }
        db.engine.dispose()
    return rows, set(Store(app.config["STORE"]).digests())
