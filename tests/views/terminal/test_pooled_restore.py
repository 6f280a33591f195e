"""The lock of a restore behind PgBouncer, which gives the connection of an ended transaction to others."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from models.backup import restore_lock
from models.workflow import Refused
from tests.apps import POSTGRESQL, new_database
from tests.views.terminal.test_database_roles import pooled

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
ENDING = """SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database ON oid = database
WHERE locktype = 'advisory' AND datname = current_database()"""


@pytest.fixture
def address(postgresql: psycopg.Connection) -> Iterator[str]:
    """The address of a database of its own: other tests take the same lock at the same time."""
    with new_database(postgresql, f"filing_lock_{secrets.token_hex(4)}") as address:
        yield address


def test_a_restore_behind_a_pooler_is_alone_and_its_lock_ends_with_it(app: Flask, address: str, tmp_path: Path) -> None:
    login, _at, server = POSTGRESQL.partition("@")
    with pooled(login, tmp_path, size=2) as pooler, app.app_context():
        unprepared = {"prepare_threshold": None}
        engine = create_engine(address.replace(server, pooler), poolclass=NullPool, connect_args=unprepared)
        for _again in range(2):
            with restore_lock.hold(engine):
                for _connection in range(4):  # more than there are to the server
                    assert restore_lock.is_held(engine)
                    with pytest.raises(Refused, match="另一个 restore"), restore_lock.hold(engine):
                        pass
            assert not restore_lock.is_held(engine)
    assert not restore_lock.is_held(create_engine(address, poolclass=NullPool))


def test_a_server_that_ends_idle_transactions_does_not_end_the_lock(app: Flask, address: str) -> None:
    quickly = {"options": "-c idle_in_transaction_session_timeout=100"}
    engine = create_engine(address, poolclass=NullPool, connect_args=quickly)
    with app.app_context(), restore_lock.hold(engine):
        time.sleep(0.5)
        assert restore_lock.is_held(engine)


def test_a_restore_whose_lock_was_ended_by_the_server_is_done_all_the_same(
    app: Flask, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log tells of it: another restore may have run meanwhile."""
    engine = create_engine(address, poolclass=NullPool)
    with app.app_context(), restore_lock.hold(engine), engine.connect() as other:
        assert other.scalars(text(ENDING)).all() == [True]
    assert not restore_lock.is_held(engine) and "lock of the restore was lost" in caplog.text
