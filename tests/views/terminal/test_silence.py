"""A PostgreSQL server that stops answering: no request waits without limit."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, TimeoutError

from app import create_app
from models.database import db, lock_for_migration
from tests.apps import new_database

SOON = {"connect": 1, "network": 1, "statement": 1, "lock": 1, "pool": 1}
AT_LAST = 120  # seconds after which a thread is given up on; never asked how long it took


class Proxy:
    """A proxy that can stop forwarding: it still accepts connections and bytes, and sends nothing."""

    def __init__(self) -> None:
        self.listener, self.open = socket.create_server(("127.0.0.1", 0)), Event()
        self.port = self.listener.getsockname()[1]
        self.open.set()
        Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", 5432))
            for one, other in ((client, server), (server, client)):
                Thread(target=self.forward, args=(one, other), daemon=True).start()

    def forward(self, one: socket.socket, other: socket.socket) -> None:
        with one, other:
            try:
                while data := one.recv(1 << 16):
                    self.open.wait()
                    other.sendall(data)
            except OSError:
                pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.open.set()
    proxy.listener.close()


@pytest.fixture
def app_behind_proxy(postgresql: psycopg.Connection, proxy: Proxy, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database behind the proxy, with short time-outs."""
    with new_database(postgresql, f"filing_silence_{os.getpid()}") as address:
        there = address.replace(":5432", f":{proxy.port}")
        settings = {
            "SECRET_KEY": "s",
            "STORE": str(tmp_path / "store"),
            "SIGNING_KEY": str(tmp_path),
            "DATABASE_TIMEOUTS": SOON,
        }
        app = create_app(settings | {"SQLALCHEMY_DATABASE_URI": there})
        assert app.test_cli_runner().invoke(args=["upgrade"]).exit_code == 0
        yield app
        proxy.open.set()
        with app.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("connected", [True, False])
def test_a_silent_server_is_reported_and_later_used_again(
    app_behind_proxy: Flask, proxy: Proxy, connected: bool
) -> None:
    """With a connection in the pool and without one."""
    answers: list[str] = []

    def ask() -> None:
        answers.append(app_behind_proxy.test_client().get("/healthz").text)

    if connected:
        ask()
    else:
        with app_behind_proxy.app_context():
            db.engine.dispose()
    proxy.open.clear()
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(AT_LAST)
    assert not asking.is_alive()
    proxy.open.set()
    ask()
    assert answers == [*(["ok\n"] if connected else []), "database\n", "ok\n"]


def test_a_running_statement_times_out(app_behind_proxy: Flask, proxy: Proxy) -> None:
    """The server would end it, but its report does not arrive."""
    found: list[OperationalError] = []

    def work() -> None:
        with app_behind_proxy.app_context(), db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            proxy.open.clear()
            try:
                connection.execute(text("SELECT 2"))
            except OperationalError as error:
                found.append(error)

    working = Thread(target=work, daemon=True)
    working.start()
    working.join(AT_LAST)
    assert not working.is_alive()
    assert [error.connection_invalidated for error in found] == [True]


def test_the_server_ends_a_long_statement_and_a_long_wait_for_a_lock(app_behind_proxy: Flask) -> None:
    with app_behind_proxy.app_context():
        engine = db.engine
        with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
            connection.execute(text("SELECT pg_sleep(60)"))
        with engine.connect() as holder, engine.connect() as other:
            holder.execute(text("LOCK TABLE serial"))
            with pytest.raises(OperationalError, match=r"(lock|statement) timeout"):
                other.execute(text("LOCK TABLE serial"))


def test_a_migration_has_no_timeout_and_later_statements_have_one(app_behind_proxy: Flask) -> None:
    with app_behind_proxy.app_context():
        engine = db.engine
        with engine.connect() as connection:
            lock_for_migration(connection)
            connection.execute(text("SELECT pg_sleep(6)"))  # longer than a statement may, and than we would wait
        with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
            connection.execute(text("SELECT pg_sleep(60)"))


def test_an_exhausted_connection_pool_is_reported(app_behind_proxy: Flask) -> None:
    with app_behind_proxy.app_context():
        engine = db.engine
        connections = [engine.connect() for _ in range(15)]  # SQLAlchemy's own: five, and ten more
        with pytest.raises(TimeoutError):
            engine.connect()
        for connection in connections:
            connection.close()
