"""Rounds of `certificate work`: parts that run at most every so many seconds; ended sessions and the sealed log."""

import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from models import access, clock, log
from models.log import LogEntry, Operation, Place, SignIn, chain
from models.people.sessions import Visit
from tests.apps import engine_of_owner
from tests.browsing import ClientAs
from tests.views.terminal.commands import run_command
from views.terminal.group import at_most_every


def test_a_part_of_a_round_runs_again_only_after_its_interval_even_if_it_fails() -> None:
    calls: list[str] = []
    seldom = at_most_every(60, lambda: calls.append("seldom"))
    often = at_most_every(0.05, lambda: calls.append("often"))
    for _time in range(2):
        seldom()
        often()
    assert calls == ["seldom", "often"]
    time.sleep(0.06)
    seldom()
    often()
    assert calls == ["seldom", "often", "often"]

    def fail() -> None:
        calls.append("failed")
        raise LookupError

    failing = at_most_every(60, fail)
    with pytest.raises(LookupError):
        failing()
    failing()
    assert calls.count("failed") == 1


def test_one_round_ends_and_logs_an_expired_session(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_as("publisher").get("/desk/")
    moment = clock.now() + timedelta(minutes=40)
    monkeypatch.setattr(clock, "now", lambda: moment)
    for _time in range(2):
        assert run_command(app, "certificate", "work").exit_code == 0
        with app.app_context(), access.everything() as session:
            assert chain.count_unsealed(session) == 0  # by the run that has written the entries
    with app.app_context(), access.everything() as session:
        assert session.scalars(select(Visit.ended_at)).all() == [moment]
        ends = select(LogEntry.username).where(LogEntry.kind == SignIn.IDLE_ENDED.value)
        assert session.scalars(ends).all() == ["publisher"]


def rename_table(app: Flask, old: str, new: str) -> None:
    with app.app_context(), engine_of_owner(app).begin() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_the_log_is_sealed_although_sessions_cannot_be_ended(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        log.record(session, Operation.VERIFIED, None, Place())
        session.commit()
    rename_table(app, "visit", "visit_away")
    try:
        assert run_command(app, "certificate", "work").exit_code == 1
    finally:
        rename_table(app, "visit_away", "visit")
    with app.app_context(), access.everything() as session:
        assert chain.count_unsealed(session) == 0
