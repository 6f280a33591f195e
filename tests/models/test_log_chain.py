"""The hash chain of the log: entries are sealed in the order of their ids, and a change of a sealed one is named."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import access, clock, log
from models.database import db
from models.log import LogEntry, Operation, Place, chain
from models.log.chain import LogSeal
from tests.apps import engine_of_owner, seal_by, without_triggers
from tests.browsing import ClientAs
from tests.conftest import ActAs
from tests.views.terminal.commands import run_command

Change = Callable[[Connection, list[int]], None]
OTHER = "与校验值不符"
COLUMNS = "at, log, kind, username, name, address, program, about, words"


def write(session: Session, count: int = 1) -> None:
    for number in range(count):
        log.record(session, Operation.VERIFIED, None, Place(), words=number)
        session.commit()


def run(connection: Connection, statement: str, *keys: int) -> None:
    """Run it with the named values a, b, …"""
    connection.execute(text(statement), dict(zip("abcd", keys, strict=False)))


def insert_before(connection: Connection, ids: list[int]) -> None:
    run(connection, f"INSERT INTO log_entry (id, {COLUMNS}) SELECT -1, {COLUMNS} FROM log_entry WHERE id = :a", ids[0])


def insert_sealed(connection: Connection, ids: list[int]) -> None:
    insert_before(connection, ids)
    run(connection, "INSERT INTO log_seal (entry_id, seal) SELECT -1, seal FROM log_seal WHERE entry_id = :a", ids[0])


def swap(connection: Connection, ids: list[int]) -> None:
    for old, new in ((ids[1], -1), (ids[3], ids[1]), (-1, ids[3])):
        run(connection, "UPDATE log_entry SET id = :a WHERE id = :b", new, old)


def remove_with_seal(connection: Connection, ids: list[int]) -> None:
    run(connection, "DELETE FROM log_entry WHERE id = :a", ids[2])
    run(connection, "DELETE FROM log_seal WHERE entry_id = :a", ids[2])


def each(statement: str, index: int) -> Change:
    """This statement, in which :a is the id of one entry."""
    return lambda connection, ids: run(connection, statement, ids[index])


CHANGES: dict[str, tuple[Change, dict[int, str]]] = {  # → index of a named entry (-1: it has id -1), and the words
    "a word is edited": (each("UPDATE log_entry SET words = '改' WHERE id = :a", 2), {2: OTHER}),
    "a time is edited": (each("UPDATE log_entry SET at = '2026-01-01 00:00:00+00:00' WHERE id = :a", 0), {0: OTHER}),
    "one is removed": (each("DELETE FROM log_entry WHERE id = :a", 4), {4: "已不在"}),
    "one is removed with its seal": (remove_with_seal, {3: OTHER}),
    "one is inserted": (insert_before, {-1: "是后来插入的"}),
    "one is inserted with a seal": (insert_sealed, {-1: OTHER, 0: OTHER}),
    "two are swapped": (swap, {1: OTHER, 3: OTHER}),
    "a seal is edited": (each("UPDATE log_seal SET seal = 'x' WHERE entry_id = :a", 1), {1: OTHER, 2: OTHER}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_sealed_entries_is_named(app: Flask, name: str) -> None:
    """With the triggers dropped, by `trail verify`."""
    change, expected = CHANGES[name]
    with app.app_context(), access.everything() as session:
        write(session, 5)
        chain.seal_all(session)
        ids = list(session.scalars(select(LogEntry.id).order_by(LogEntry.id)))
        assert list(chain.contradictions(session)) == []
        session.rollback()
        with engine_of_owner(app).begin() as connection, without_triggers(connection):
            change(connection, ids)
    answer = run_command(app, "trail", "verify")
    found = [line for line in answer.output.splitlines() if line.startswith("日志第")]
    assert answer.exit_code == 1
    for line, (index, words) in zip(found, expected.items(), strict=True):
        assert line.startswith(f"日志第 {-1 if index == -1 else ids[index]} 条"), line
        assert words in line


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_entries_of_running_transactions_are_sealed_in_order_after_their_commit(app: Flask) -> None:
    """On PostgreSQL, where a lower id may be committed later."""
    with app.app_context(), access.everything() as slow, access.everything() as session:
        log.record(slow, Operation.VERIFIED, None, Place(), words="slow")
        slow.flush()
        write(session)
        chain.seal_some(session)
        assert chain.count_unsealed(session) == 1
        slow.commit()
        chain.seal_all(session)
        assert chain.count_unsealed(session) == 0
        words = select(LogEntry.words).join(LogSeal, LogSeal.entry_id == LogEntry.id).order_by(LogEntry.id)
        assert session.scalars(words).all() == ["slow", "0"]
        assert list(chain.contradictions(session)) == []


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_an_entry_that_has_nothing_but_its_id_yet_is_waited_for(app: Flask) -> None:
    """SQLAlchemy asks for the id before it inserts the entry."""
    with app.app_context(), access.everything() as slow, access.everything() as session:
        key = slow.scalar(text("SELECT nextval('log_entry_id_seq')"))
        write(session)
        assert chain.seal_some(session) == 0
        again = f"INSERT INTO log_entry (id, {COLUMNS}) SELECT :a, {COLUMNS} FROM log_entry"
        run(slow.connection(), again, key)
        slow.commit()
        chain.seal_all(session)
        assert chain.count_unsealed(session) == 0
        assert list(chain.contradictions(session)) == []


def test_entries_without_a_seal_for_ten_minutes_are_reported(app: Flask, client_as: ClientAs) -> None:
    """运行状态 and /healthz?details."""
    with app.app_context(), access.everything() as session:
        entry = log.entry(Operation.VERIFIED, None, Place())
        entry.at = clock.now() - timedelta(minutes=11)
        session.add(entry)
        session.commit()
    operator = client_as("operator")
    assert "日志校验值" in operator.get("/condition/").text
    assert "log entries without a seal" in operator.get("/healthz?details").text
    with app.app_context(), access.everything() as session:
        chain.seal_all(session)
    assert "日志校验值" not in operator.get("/condition/").text


def test_jobs_that_seal_at_once_seal_each_entry_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "AT_ONCE", 3)

    def seal(_number: int) -> None:
        with app.app_context(), access.everything() as session:
            chain.seal_all(session)

    with app.app_context(), access.everything() as session:
        write(session, 20)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(seal, range(4)))
        assert chain.count_unsealed(session) == 0
        assert list(chain.contradictions(session)) == []


def test_each_seal_names_its_algorithm(app: Flask) -> None:
    """After the setting has changed, older seals still verify."""
    with app.app_context(), access.everything() as session:
        for algorithm in ("sha256", "sm3", "sha256"):
            seal_by(app, algorithm)
            session.rollback()
            write(session)
            chain.seal_all(session)
        names = session.scalars(select(LogSeal.algorithm).order_by(LogSeal.entry_id)).all()
        assert names == [None, "sm3", None]
        assert list(chain.contradictions(session)) == []


@pytest.mark.parametrize("command", ["verify", "work"])
def test_commands_seal_what_was_written_before(app: Flask, command: str) -> None:
    with app.app_context(), access.everything() as session:
        write(session, 3)
        assert run_command(app, "trail" if command == "verify" else "certificate", command).exit_code == 0
        session.rollback()
        assert chain.count_unsealed(session) == (command == "verify")  # its own entry
        assert len(session.scalars(select(LogSeal)).all()) == 3


@pytest.mark.parametrize("attack", ["UPDATE log_seal SET seal = ''", "DELETE FROM log_seal"])
def test_raw_sql_cannot_change_or_remove_seals(app: Flask, attack: str) -> None:
    with app.app_context(), access.everything() as session:
        write(session)
        chain.seal_all(session)
        with engine_of_owner(app).connect() as connection, pytest.raises(DBAPIError, match="只能追加"):
            connection.execute(text(attack))


@pytest.mark.parametrize("who", ["operator", "national", "publisher"])
def test_no_account_reads_seals(act_as: ActAs, who: str) -> None:
    with act_as(who), access.everything() as session:
        write(session)
        chain.seal_all(session)
        assert session.scalars(select(LogSeal)).one()
        assert db.session.scalars(select(LogSeal)).all() == []
