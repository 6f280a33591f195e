"""The nation reads from a real streaming replica, behind a real PgBouncer, as long as it keeps up."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, text

from models import access
from models.application import Application
from models.database import db, replica
from tests import free_port
from tests.apps import prepare_app
from tests.browsing import signed_in
from tests.cast import account_of, create_application
from tests.cluster.services import AS_POSTGRES, Database, answers, pooled, until

SECONDS = 2  # that the replica may lag


@dataclass
class Pair:
    """An application on a primary, through PgBouncer, and its replica."""

    app: Flask
    one: Database
    two: Database

    def titles(self) -> str:
        """What the nation finds in its list, from where it is read: the names of the servers asked."""
        page = signed_in(self.app, "national").get("/register/", follow_redirects=True)
        assert page.status_code == 200
        return page.text

    def source(self) -> str:
        """The server from which a session of the nation reads applications now."""
        with self.app.app_context():
            access.enter(account_of("national"))
            replica.prefer(db.session(), self.app.extensions[replica.KEY])
            session = db.session()
            engine = session.get_bind(mapper=Application.__mapper__, clause=db.select(Application))
            return str(engine.url.port)

    def trusted(self) -> None:
        """For a minute nobody asks the replica how it is."""
        until("fresh", lambda: self.source() == str(self.two.port))
        known: replica.Replica = self.app.extensions[replica.KEY]
        known.fresh_at = known.measure_at = time.monotonic() + 60


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    if not shutil.which("pgbouncer", path="/usr/sbin"):
        assert not os.environ.get("CI"), "pgbouncer is not installed"
        pytest.skip("pgbouncer is not installed (make test does it): replica and pooler are not tried")
    folder = Path(tempfile.mkdtemp(prefix="filing-pair-"))  # pytest's own folders are closed to `postgres`
    if AS_POSTGRES:
        shutil.chown(folder, "postgres")
    one, two = Database(folder, "one", free_port()), Database(folder, "two", free_port())
    one.create()
    one.begin()
    one.ask("CREATE DATABASE filing")
    door = free_port()
    pooler = pooled(folder, door, one.port).start()
    monkey = pytest.MonkeyPatch()
    settings: dict[str, Any] = {"REPLICA_SECONDS": SECONDS, "DATABASE_POOLER": "true"}
    settings["REPLICA_URI"] = f"postgresql+psycopg://postgres@127.0.0.1:{two.port}/filing"
    for name, value in settings.items():
        monkey.setenv(f"FILING_{name}", str(value))
    try:
        until("pooler", lambda: answers(door))
        app = prepare_app(f"postgresql+psycopg://postgres@127.0.0.1:{door}/filing", folder)
        two.create(standby_of=one)
        two.begin()
        yield Pair(app, one, two)
    finally:
        monkey.undo()
        pooler.kill()
        two.stop()
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def measured_anew(pair: Pair) -> None:
    """What an earlier test trusted is forgotten."""
    known: replica.Replica = pair.app.extensions[replica.KEY]
    known.fresh_at, known.measure_at = -1e9, 0.0


def test_the_nation_reads_from_the_replica_while_it_keeps_up(pair: Pair) -> None:
    """Paused, it lags; by more than may be, the primary is asked; it catches up, and is asked again."""
    until("fresh", lambda: pair.source() == str(pair.two.port))
    pair.two.ask("SELECT pg_wal_replay_pause()")
    key = create_application(pair.app, status="filed", title="副本里没有的题名")
    until("stale", lambda: pair.source() != str(pair.two.port))
    assert "副本里没有的题名" in pair.titles()
    pair.two.ask("SELECT pg_wal_replay_resume()")
    until("fresh again", lambda: pair.source() == str(pair.two.port))
    assert key
    assert "副本里没有的题名" in pair.titles()


def test_an_account_that_has_just_acted_reads_from_the_primary(pair: Pair) -> None:
    """Rows that the replica lacks are invisible to the nation until it has acted itself."""
    pair.trusted()
    pair.two.ask("SELECT pg_wal_replay_pause()")
    browser, key = signed_in(pair.app, "national"), create_application(pair.app, status="filed")
    assert browser.get(f"/register/details/?id={key}").status_code == 404
    assert browser.post("/register/print/", data={"id": key}).status_code == 303
    assert browser.get(f"/register/details/?id={key}").status_code == 200
    pair.two.ask("SELECT pg_wal_replay_resume()")


def test_each_transaction_behind_the_pooler_has_the_configured_timeouts(pair: Pair) -> None:
    """PgBouncer takes no options, and gives each transaction another connection."""
    with pair.app.app_context(), access.everything() as session:
        for _turn in range(8):  # psycopg would prepare a statement by then, which the next server does not know
            asked = session.connection().execute(
                text("SELECT current_setting('statement_timeout'), current_setting('timezone')")
            )
            assert asked.one() == ("30s", "Asia/Shanghai")
            session.rollback()


def test_a_lost_replica_causes_no_error_page(pair: Pair) -> None:
    """Also where it died within the second in which it is not asked how it is."""
    pair.trusted()
    pair.two.kill()
    assert "备案" in pair.titles()
    assert pair.source() != str(pair.two.port)
    pair.two.begin()
    until("fresh", lambda: pair.source() == str(pair.two.port))


def test_a_replica_of_the_former_primary_is_not_used(pair: Pair) -> None:
    """Another standby is promoted: what the two that are left behind write is another history from then on."""
    three = Database(pair.one.folder, "three", free_port())
    three.create(standby_of=pair.one)
    three.begin()
    try:
        new, old, standby = (
            create_engine(f"postgresql+psycopg://postgres@127.0.0.1:{server.port}/postgres", poolclass=NullPool)
            for server in (three, pair.one, pair.two)
        )
        assert three.ask("SELECT pg_promote()")
        pair.one.ask("SELECT pg_logical_emit_message(false, 'filing', repeat('x', 20000000))")
        until("replayed", lambda: replica.Replica(standby, SECONDS).is_usable(old))
        assert not replica.Replica(standby, SECONDS).is_usable(new)
    finally:
        three.stop()


def test_of_several_hosts_the_one_that_is_still_a_replica_is_used(pair: Pair) -> None:
    """Patroni promotes one of them: connections that the pool has to it are given up."""
    standbys = [Database(pair.one.folder, name, free_port()) for name in ("four", "five")]
    for standby in standbys:
        standby.create(standby_of=pair.one)
        standby.begin()
    ports = ",".join(str(standby.port) for standby in standbys)
    address = f"postgresql+psycopg://postgres@/postgres?host=127.0.0.1,127.0.0.1&port={ports}&target_session_attrs="
    primary = create_engine(f"postgresql+psycopg://postgres@127.0.0.1:{pair.one.port}/postgres", poolclass=NullPool)
    known = replica.Replica(create_engine(f"{address}standby"), SECONDS)

    def port() -> object:
        with known.engine.connect() as connection:
            return connection.execute(text("SELECT inet_server_port()")).scalar()

    try:
        until("the first", lambda: known.is_usable(primary) and port() == standbys[0].port)
        assert standbys[0].ask("SELECT pg_promote()")
        until("the other", lambda: known.is_usable(primary) and port() == standbys[1].port)
    finally:
        known.engine.dispose()
        for standby in standbys:
            standby.stop()
