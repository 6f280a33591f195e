"""The lock of a restore behind PgBouncer, which gives the connection of an ended transaction to others."""

import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from models.backup import restore_lock
from models.database.locks import Lock
from models.workflow import Refused
from tests.apps import POSTGRESQL
from tests.views.terminal.test_database_roles import pooled


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("postgresql")
def test_a_restore_behind_a_pooler_is_alone_and_its_lock_ends_with_it(app: Flask, tmp_path: Path) -> None:
    login = POSTGRESQL.partition("@")[0]
    with pooled(login, tmp_path, size=2) as pooler, app.app_context():
        address = f"postgresql+psycopg://{login}@{pooler}/postgres"
        engine = create_engine(address, poolclass=NullPool, connect_args={"prepare_threshold": None})
        for _again in range(2):
            with restore_lock.hold(engine):
                for _connection in range(4):  # more than there are to the server
                    assert restore_lock.is_held(engine)
                    with pytest.raises(Refused, match="另一个 restore"), restore_lock.hold(engine):
                        pass
            assert not restore_lock.is_held(engine)
    engine = create_engine(f"postgresql+psycopg://{POSTGRESQL}/postgres", poolclass=NullPool)
    assert not restore_lock.is_held(engine)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("postgresql")
def test_a_server_that_ends_idle_transactions_does_not_end_the_lock(app: Flask) -> None:
    quickly = {"options": "-c idle_in_transaction_session_timeout=100"}
    engine = create_engine(f"postgresql+psycopg://{POSTGRESQL}/postgres", poolclass=NullPool, connect_args=quickly)
    with app.app_context(), restore_lock.hold(engine):
        time.sleep(0.5)
        assert restore_lock.is_held(engine)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("postgresql")
def test_a_restore_whose_lock_was_ended_by_the_server_is_done_all_the_same(app: Flask) -> None:
    engine = create_engine(f"postgresql+psycopg://{POSTGRESQL}/postgres", poolclass=NullPool)
    ending = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock")
    with app.app_context(), restore_lock.hold(engine), engine.connect() as other:
        assert other.scalars(ending, {"lock": int(Lock.RESTORE)}).all() == [True]
    assert not restore_lock.is_held(engine)
