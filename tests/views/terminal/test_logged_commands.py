"""Every command that changes something leaves an entry in the log; in its own transaction where it has one."""

from collections.abc import Iterator
from pathlib import Path

import click
import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select

from models import access, log
from models.customs import hold
from models.log import LogEntry
from tests import ROOT
from tests.views.screens.read_logs import entries_of
from tests.views.terminal.commands import run_command
from views.terminal import COMMANDS, Commands

KEY = "{folder}/key.pem"
LOGGED = {  # command → arguments, kind of its entry
    "account add": (["neu", "--name", "新", "--role", "national"], "account_added"),
    "account disable": (["agent"], "account_changed"),
    "account password": (["agent"], "password_reset"),
    "sweep": ([], "swept"),
    "search rebuild": ([], "search_rebuilt"),
    "statistics rebuild": ([], "statistics_rebuilt"),
    "certificate render": ([], "papers_rendered"),
    "attachments scan": ([], "scanned"),
    "trail new-key": ([KEY], "checkpoint_key_made"),
    "trail checkpoint": (["{folder}/log", "--key-file", KEY], "checkpoint_signed"),
    "trail verify": ([], "verified"),
    "backup": (["{folder}/backup"], "backed_up"),
    "hold": ([], "held"),
    "release": ([], "mail_released"),
    "demo": ([], "demo_loaded"),
}
ELSEWHERE = {  # command → the test that reads its entry, which takes more than one line to reach
    "upgrade": ("tests/views/terminal/test_logged_commands.py", '"upgraded"'),
    "restore": ("tests/views/terminal/test_logged_commands.py", '"restored"'),
    "drill": ("tests/views/terminal/test_logged_commands.py", '"drilled"'),
    "customs reconcile": ("tests/views/screens/test_reconciliation.py", "kind=reconciled"),
    "account code": ("tests/views/entrance/test_key_management.py", "code_given"),
    "certificate keys install": ("tests/views/terminal/test_keys.py", "KEY_INSTALLED"),
    "database roles": ("tests/views/terminal/test_database_roles.py", "ROW_SECURITY_INSTALLED"),
}
READING = {
    "search check", "statistics check", "customs schema", "customs receipt", "certificate verify",
    "certificate verify-code", "certificate keys list", "trail prove", "trail check-proof",
}  # fmt: skip
NOT_LOGGED = {
    "certificate work": "a job; an issued paper is part of the act in the trail, and a time-out has its entry",
    "customs deliver": "a job; receipts are in the trail, each attempt is a note on its message",
    "mail send": "a job; the messages and e-mails themselves are stored",
    "certificate status-list": "a copy of what everybody can fetch from /status/",
    "customs simulate": "a counterpart of its own for trials, which does not use this database",
    "db": "the commands of Flask-Migrate, for developers; people run `upgrade`",
}


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


def all_commands(group: click.Group, context: click.Context, prefix: str = "") -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group) and name != "db":
            yield from all_commands(command, context, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def test_every_command_is_logged_or_changes_nothing() -> None:
    """A new command fails this test until it is in LOGGED, or the reason is given why it needs no entry."""
    assert set(COMMANDS) == set(Commands("app").list_commands(click.Context(Commands("app"))))
    found = set(all_commands(Commands("app"), click.Context(Commands("app"))))
    assert found == set(LOGGED) | set(ELSEWHERE) | READING | set(NOT_LOGGED)
    for command, (file, kind) in ELSEWHERE.items():
        assert kind in (ROOT / file).read_text(encoding="utf-8"), command


@pytest.mark.parametrize("command", LOGGED)
def test_a_command_leaves_an_entry(app: Flask, tmp_path: Path, command: str) -> None:
    arguments, kind = LOGGED[command]
    if command == "attachments scan":
        app.config["CLAMD"] = f"unix:{tmp_path}/none"  # nothing waits for it
    if command in ("sweep", "backup", "attachments scan"):
        assert run_command(app, "upgrade").exit_code == 0, "which registers the store"
    if command == "release":
        run_command(app, "hold")
    if command == "trail checkpoint":
        run_command(app, "trail", "new-key", tmp_path / "key.pem")
    before = len(entries_of(app))
    answer = run_command(app, *command.split(), *(text.format(folder=tmp_path) for text in arguments))
    assert answer.exit_code == 0, answer.output
    assert kind in [found for found, *_rest in entries_of(app)[before:]]


def test_a_restore_and_a_drill_are_logged(app: Flask, empty_app: Flask, backup: Path) -> None:
    assert run_command(empty_app, "restore", backup).exit_code == 0
    assert entries_of(empty_app)[-1][0] == "restored"
    assert run_command(app, "drill", backup).exit_code == 0
    assert entries_of(app)[-1][0] == "drilled"


def test_an_upgrade_is_logged_when_it_changes_the_tables(empty_app: Flask) -> None:
    with empty_app.app_context():
        flask_migrate.upgrade(revision="0053")
    for _time in range(2):
        assert run_command(empty_app, "upgrade").exit_code == 0
    with empty_app.app_context(), access.everything() as session:
        (entry,) = session.scalars(select(LogEntry)).all()
        assert (entry.kind, entry.words.partition(" →")[0]) == ("upgraded", "0053")


def test_a_failed_backup_is_logged_with_its_reason(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    answer = run_command(app, "backup", tmp_path)
    assert answer.exit_code == 1
    with app.app_context(), access.everything() as session:
        failed = log.newest(session, log.Operation.BACKUP_FAILED)
        assert failed and failed.words == f"{tmp_path}：“{tmp_path}”已有内容，请另选一个空文件夹。"
        assert log.newest(session, log.Operation.BACKED_UP) is None


def test_a_restore_over_a_register_in_use_is_refused_and_logged(app: Flask, tmp_path: Path) -> None:
    assert run_command(app, "upgrade").exit_code == 0
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    answer = run_command(app, "restore", tmp_path / "backup")
    assert (answer.exit_code, "当前数据库已有数据" in answer.output) == (1, True)
    with app.app_context(), access.everything() as session:
        failed = log.newest(session, log.Operation.RESTORE_FAILED)
        assert failed and "当前数据库已有数据" in failed.words


def test_a_key_for_checkpoints_is_made_without_a_database_too(app: Flask, tmp_path: Path) -> None:
    """A witness that only cosigns has none."""
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    answer = run_command(app, "trail", "new-key", tmp_path / "key.pem")
    assert answer.exit_code == 0
    assert (tmp_path / "key.pem").exists()
