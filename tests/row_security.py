"""PostgreSQL with row-level security, and an application restricted by it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine

from app import create_app
from models import access
from tests.apps import OWNERS, POSTGRESQL, PreparedApp, new_database, prepare_app, settings_of
from tests.snapshots import PostgresqlSnapshots


@contextmanager
def login_under_row_security(server: psycopg.Connection, address: str) -> Iterator[str]:
    """The address of this database for a login that owns no table and is restricted by row-level security.

    `address`: of the owner of the tables; their schema must be up to date.
    """
    login = f"filing_web_{secrets.token_hex(4)}"
    server.execute(f"CREATE ROLE {login} LOGIN".encode())
    engine = create_engine(address, poolclass=NullPool)
    with engine.begin() as connection:
        access.row_security.install(connection)
        access.row_security.speed_up_searches(connection)
        access.row_security.admit(connection, login, {})
    own = address.replace(POSTGRESQL, POSTGRESQL.replace("postgres", login, 1))
    OWNERS[own] = engine
    try:
        yield own
    finally:
        engine.dispose()
        server.execute(f"DROP ROLE {login}".encode())


@contextmanager
def prepare_under_row_security(server: psycopg.Connection, folder: Path) -> Iterator[PreparedApp]:
    """An application whose database login owns nothing, under row-level security."""
    with new_database(server, f"filing_row_security_{os.getpid()}") as address:
        prepare_app(address, folder)
        own_connection = psycopg.connect(address.replace("+psycopg", ""))
        with login_under_row_security(server, address) as own, own_connection as connection:
            connection.autocommit = True
            renew = PostgresqlSnapshots(connection, folder).renew  # acts make applications anew, as this login may
            yield PreparedApp(create_app(settings_of(own, folder)), renew)


@pytest.fixture(scope="session")
def on_row_security(postgresql: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedApp]:
    """As `on_postgresql`, under row-level security."""
    with prepare_under_row_security(postgresql, tmp_path_factory.mktemp("row_security")) as prepared:
        yield prepared
