"""`restore`: after an interruption at any step the database is empty, marked as unfinished, or complete."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select

from app import create_app
from models import access
from models.application.attachments import Store
from models.backup import postgresql_dump, restoring, unfinished_restore
from models.database import db
from models.files.store import Folder
from models.log import LogEntry
from tests import ROOT, free_port
from tests.apps import is_on_sqlite
from tests.stores import remount, small_disk
from tests.views.terminal.commands import everything_in, run_command

UNFINISHED = "上一次恢复没有完成，系统暂不能使用。请重新运行 restore，完成后再启动。"
AGAIN = "恢复没有完成，系统暂不能使用。请排除原因后重新运行 restore。"
STEPS: tuple[Callable[..., Any], ...] = (  # that change something
    restoring._restore,
    restoring._set_mark,
    restoring._restore_files,
    restoring._restore_database,
    postgresql_dump.restore,
    restoring._mark,
    restoring._finish,
    unfinished_restore.set_mark,
    unfinished_restore.copy_mark,
    Store.put_copy,
    Store.set_identity,
    Folder.put,
    Folder.set_identity,
)


def restore_until_killed(app: Flask, source: Path, line: int) -> bool:
    """Restore in a process that kills itself at the `line`-th executed line of STEPS; False if it ended before."""
    codes = {step.__wrapped__.__code__ if hasattr(step, "__wrapped__") else step.__code__ for step in STEPS}
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    run: set[tuple[Any, int]] = set()

    def at_line(frame: Any, event: str, _arg: Any) -> Any:
        if event == "line":
            run.add((frame.f_code, frame.f_lineno))
            if len(run) == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return at_line

    try:
        with app.app_context():
            db.engine.dispose(close=False)
        sys.settrace(lambda frame, _event, _arg: at_line if frame.f_code in codes else None)
        run_command(app, "restore", source)
    finally:
        os._exit(0)


def is_marked(app: Flask) -> bool:
    """Whether a command is refused; asserts that /healthz agrees."""
    while "正在恢复备份" in (refused := run_command(app, "sweep")).output:
        time.sleep(0.2)  # PostgreSQL has not noticed yet that who held the lock was killed
    word = app.test_client().get("/healthz").text
    marked = UNFINISHED in refused.output
    assert (refused.exit_code == 1, word.splitlines()[0] == "restore") == (marked, marked), (refused.output, word)
    return marked


def test_a_restore_killed_at_any_step_is_marked_or_has_changed_nothing_and_can_be_repeated(
    app: Flask, empty_app: Flask, backup: Path
) -> None:
    """SIGKILL at every line with an effect, on PostgreSQL every third; each run continues from the former's state."""
    empty_app.config["SIGNING_KEY"] = app.config["SIGNING_KEY"]
    assert run_command(empty_app, "upgrade").exit_code == 0
    empty, whole, line, seen = everything_in(empty_app)[0], everything_in(app), 1, list[str]()
    while restore_until_killed(empty_app, backup, line):
        if is_marked(empty_app):
            seen.append("marked")
        else:
            rows, files = everything_in(empty_app)
            seen.append("whole" if (rows, files) == whole else "empty" if rows == empty else "half")
        if seen[-1] == "whole":
            break
        line += 1 if is_on_sqlite(app) or "BOTH" in os.environ else 3
    states = [state for state, before in zip(seen, ["", *seen], strict=False) if state != before]
    assert states in (["empty", "marked", "whole"], ["empty", "marked"])
    assert seen.count("marked") > (20 if is_on_sqlite(app) else 6), seen
    assert everything_in(empty_app) == whole
    assert run_command(empty_app, "trail", "verify").exit_code == 0
    assert run_command(empty_app, "restore", backup).exit_code == 1, "a register in use is not written over"
    assert everything_in(empty_app) == whole


def test_a_server_does_not_start_on_a_half_restored_register(app: Flask, empty_app: Flask, backup: Path) -> None:
    with empty_app.app_context():
        unfinished_restore.set_mark(db.engine, secrets.token_hex(16))
        db.engine.dispose()
    names = ("SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY", "SIGNING_KEY")
    outside = os.environ | {f"FILING_{name}": str(empty_app.config[name]) for name in names}
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    command = [gunicorn, "--config", "python:views.entrance.server", "--bind", "127.0.0.1:0", "--workers", "4"]
    done = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert UNFINISHED in done.stderr
    assert "Traceback" not in done.stderr
    answer = create_app(dict(empty_app.config)).test_client().get("/login")
    assert (answer.status_code, UNFINISHED in answer.text) == (503, True)
    restored = run_command(empty_app, "restore", backup)
    assert restored.exit_code == 0, restored.output
    assert empty_app.test_client().get("/login").status_code == 200


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_a_restore_needs_no_replica(app: Flask, empty_app: Flask, backup: Path) -> None:
    """Every restore of a process that once had a replica was refused, and every one while the replica was down."""
    nowhere = {"REPLICA_URI": f"postgresql+psycopg://postgres@127.0.0.1:{free_port()}/filing"}
    restored = run_command(create_app(dict(empty_app.config) | nowhere), "restore", backup)
    assert restored.exit_code == 0, restored.output
    assert everything_in(empty_app) == everything_in(app)


def test_a_full_disk_is_refused_with_a_sentence_and_the_restore_can_be_repeated(
    app: Flask, empty_app: Flask, backup: Path, tmp_path: Path
) -> None:
    """Files come first: the disk is full before the database is touched."""
    disk = tmp_path / "disk"
    with small_disk(disk, "16k"):
        empty_app.config["STORE"] = str(disk / "store")
        answer = run_command(empty_app, "restore", backup)
        assert (answer.exit_code, answer.output) == (
            1,
            f"存储空间不足，文件没有保存。请系统管理员清理或扩充存储后重试。{AGAIN}\n",
        )
        assert is_marked(empty_app)
        remount(disk, "size=64m")
        restored = run_command(empty_app, "restore", backup)
        assert restored.exit_code == 0, restored.output
        assert everything_in(empty_app) == everything_in(app)


def test_every_restore_that_has_begun_has_an_outcome_in_a_log(
    app: Flask, empty_app: Flask, backup: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the process log while there are no tables; with tables in the log; once it is repeated, in the new log."""
    disk = tmp_path / "disk"
    with small_disk(disk, "16k"):
        empty_app.config["STORE"] = str(disk / "store")
        run_command(empty_app, "restore", backup)
        (line,) = [record.getMessage() for record in caplog.records if "not in the log" in record.getMessage()]
        assert line == (
            f"not in the log: restore_failed {backup}：存储空间不足，文件没有保存。"
            f"请系统管理员清理或扩充存储后重试。{AGAIN}"
        )
        with empty_app.app_context():
            flask_migrate.upgrade()  # the tables, which a mark keeps commands from making
        run_command(empty_app, "restore", backup)
        assert failures(empty_app) == [line.partition("restore_failed ")[2]]
        remount(disk, "size=64m")
        assert run_command(empty_app, "restore", backup).exit_code == 0
        begun = failures(empty_app)
        assert len(begun) == 2 and all(words.endswith("开始的恢复没有完成，其后重新运行。") for words in begun)
        assert run_command(empty_app, "trail", "verify").exit_code == 0


def failures(app: Flask) -> list[str]:
    """What the log says about failed restores."""
    with app.app_context(), access.everything() as session:
        found = select(LogEntry.words).where(LogEntry.kind == "restore_failed").order_by(LogEntry.id)
        return list(session.scalars(found))


def test_a_backup_onto_a_full_disk_is_refused_with_a_sentence_and_is_incomplete(
    app: Flask, backup: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "16k"):
        answer = run_command(app, "backup", disk / "again")
        assert (answer.exit_code, answer.output.endswith("备份没有完成。\n")) == (1, True), answer.output
        assert len(answer.output.splitlines()) == 1
        assert "没有备份清单" in run_command(app, "restore", disk / "again").output


def test_the_store_of_another_register_is_refused(app: Flask, empty_app: Flask, backup: Path, tmp_path: Path) -> None:
    """Also by `upgrade`: the next sweep would delete its files as orphans."""
    other = Store(str(tmp_path / "other"))
    other.set_identity("f" * 32)
    digest = other.put_bytes(b"theirs")
    empty_app.config["STORE"] = str(tmp_path / "other")
    answer = run_command(empty_app, "restore", backup)
    assert (answer.exit_code, "存储属于另一个登记库" in answer.output) == (1, True)
    answer = run_command(empty_app, "upgrade")
    assert (answer.exit_code, "存储中已有另一个登记库的文件" in answer.output) == (1, True)
    assert (other.identity(), list(other.digests())) == ("f" * 32, [digest])
