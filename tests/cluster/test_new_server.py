"""A backup under row-level security on a server that has none of its roles, by an owner who is no superuser."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, inspect, text

from app import create_app
from models import access
from models.access.grants import JOBS, ROLES
from models.application.attachments import Store
from models.database import db
from tests import free_port
from tests.apps import prepare_app, settings_of
from tests.cast import create_application
from tests.cluster.services import AS_POSTGRES, BIN, Database
from tests.views.terminal.commands import everything_in, run_command
from tests.views.terminal.test_database_roles import count_seen_by

OWNER, LOGIN = "filing_owner", "filing_web"


@dataclass
class Server:
    """A PostgreSQL server of its own, whose roles the test may drop."""

    database: Database
    folder: Path

    def address(self, name: str, login: str = OWNER) -> str:
        return f"postgresql+psycopg://{login}@127.0.0.1:{self.database.port}/{name}"

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """As a superuser, one transaction for each statement."""
        engine = create_engine(self.address(database, "postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()


@pytest.fixture
def server() -> Iterator[Server]:
    if not BIN:
        assert not os.environ.get("CI"), "PostgreSQL is not installed"
        pytest.skip("PostgreSQL is not installed: no backup is restored on a new server")
    folder = Path(tempfile.mkdtemp(prefix="filing-server-"))  # pytest's own folders are closed to `postgres`
    if AS_POSTGRES:
        shutil.chown(folder, "postgres")
    database = Database(folder, "one", free_port())
    database.create()
    try:
        database.begin()
        found = Server(database, folder)
        found.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE", f"CREATE DATABASE old OWNER {OWNER}")
        yield found
    finally:
        database.stop()
        shutil.rmtree(folder, ignore_errors=True)


def is_leakproof(app: Flask) -> bool:
    with app.app_context(), db.engine.connect() as connection:
        return bool(connection.scalar(text("SELECT proleakproof FROM pg_proc WHERE proname = 'search_grams'")))


def test_a_backup_under_row_security_is_restored_on_a_new_server(server: Server) -> None:
    old = prepare_app(server.address("old"), server.folder)
    create_application(old, "publisher", "pending")
    server.execute(f"CREATE ROLE {LOGIN} LOGIN")
    assert run_command(old, "database", "roles", LOGIN).exit_code == 0
    server.execute(*access.row_security.LEAKPROOF, database="old")
    assert run_command(old, "upgrade").exit_code == 0
    assert is_leakproof(old), "an upgrade by the owner keeps what only a superuser may set"
    backup = server.folder / "backup"
    assert run_command(old, "backup", backup).exit_code == 0
    before = everything_in(old)

    server.execute(
        "DROP DATABASE old WITH (FORCE)",
        *(f"DROP ROLE {name}" for name in (*ROLES, JOBS)),
        f"ALTER ROLE {OWNER} NOCREATEROLE",
        f"CREATE DATABASE new OWNER {OWNER}",
    )
    server.execute("CREATE EXTENSION pg_trgm", database="new")
    new = create_app(settings_of(server.address("new"), server.folder) | {"STORE": str(server.folder / "new")})
    refused = run_command(new, "restore", backup)
    assert (refused.exit_code, f"ALTER ROLE {OWNER} CREATEROLE" in refused.output) == (1, True), refused.output
    with new.app_context():
        assert inspect(db.engine).get_table_names() == list(Store(new.config["STORE"]).digests()) == []

    server.execute(f"ALTER ROLE {OWNER} CREATEROLE")
    restored = run_command(new, "restore", backup)
    assert (restored.exit_code, "filing database roles" in restored.output) == (0, True), restored.output
    assert everything_in(new) == before
    assert run_command(new, "database", "roles", LOGIN).exit_code == 0
    web = create_app(settings_of(server.address("new", LOGIN), server.folder))
    assert (count_seen_by(web, "publisher"), count_seen_by(web, "publisher2")) == (1, 0)
