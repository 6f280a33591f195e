"""A command that changes the database in one transaction writes its log entry in that transaction: both, or neither."""

import pytest
from flask import Flask

from models import access, log
from models.customs import hold
from models.log import LogEntry
from tests.views.terminal.commands import run_command


@pytest.fixture
def full_log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A register whose log takes no entry: each comes without its kind, and the database refuses that."""
    real = log.entry
    monkeypatch.setattr(log, "entry", lambda *given, **named: _broken(real(*given, **named)))
    return app


def _broken(entry: LogEntry) -> LogEntry:
    entry.kind = None  # type: ignore[assignment]
    return entry


def is_held(app: Flask) -> bool:
    with app.app_context(), access.everything() as session:
        return hold.since(session) is not None


def test_no_hold_without_its_log_entry(full_log: Flask) -> None:
    answer = run_command(full_log, "hold")
    assert (answer.exit_code, is_held(full_log)) == (1, False), answer.output
    assert "数据库不能使用" in answer.output


def test_no_release_without_its_log_entry(app: Flask, request: pytest.FixtureRequest) -> None:
    assert run_command(app, "hold").exit_code == 0
    request.getfixturevalue("full_log")
    answer = run_command(app, "release")
    assert (answer.exit_code, is_held(app)) == (1, True), answer.output
    assert "已放行" not in answer.output
