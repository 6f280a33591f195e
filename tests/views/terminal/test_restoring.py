"""`restore`: wherever it is interrupted, the database is empty, marked as unfinished, or complete."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect

from app import create_app
from models.application.attachments import Store
from models.backup import digest_of, restoring, unfinished_restore
from models.database import db
from models.files.store import Folder
from models.workflow import Refused
from tests import ROOT
from tests.conftest import Making
from tests.stores import remount, small_disk
from tests.views.terminal.test_backup import empty_app as empty_app
from tests.views.terminal.test_backup import everything_in, run_command

UNFINISHED = "上一次恢复没有完成，系统暂不能使用。请重新运行 restore，完成后再启动。"
AGAIN = "恢复没有完成，系统暂不能使用。请排除原因后重新运行 restore。"
STEPS: tuple[Callable[..., Any], ...] = (  # that change something
    restoring._restore,
    restoring._set_mark,
    restoring._restore_files,
    restoring._restore_database,
    restoring._mark,
    restoring._finish,
    unfinished_restore.set_mark,
    Store.keep_copy,
    Store.set_identity,
    Folder.take,
    Folder.set_identity,
)


@pytest.fixture
def backup(app: Flask, make_application: Making, tmp_path: Path) -> Path:
    """A backup of a register with two applications."""
    assert run_command(app, "upgrade").exit_code == 0
    make_application(status="customs_received")
    make_application(by="agent", status="returned")
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    return tmp_path / "backup"


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
    """Whether a command is refused and /healthz reports it; both or neither."""
    while "正在恢复备份" in (refused := run_command(app, "sweep")).output:
        time.sleep(0.2)  # PostgreSQL has not noticed yet that who held the lock was killed
    word = app.test_client().get("/healthz").text
    marked = UNFINISHED in refused.output
    assert (refused.exit_code == 1, word.splitlines()[0] == "restore") == (marked, marked), (refused.output, word)
    return marked


def test_a_restore_killed_at_any_step_is_marked_or_has_changed_nothing_and_can_be_repeated(
    app: Flask, empty_app: Flask, backup: Path
) -> None:
    """SIGKILL at every line that changes something; each run continues from what the former has left."""
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
        line += 1
    states = [state for state, before in zip(seen, ["", *seen], strict=False) if state != before]
    assert states in (["empty", "marked", "whole"], ["empty", "marked"])
    assert seen.count("marked") > 20, seen
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
    assert run_command(empty_app, "restore", backup).exit_code == 0
    assert empty_app.test_client().get("/login").status_code == 200


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
        assert run_command(empty_app, "restore", backup).exit_code == 0
        assert everything_in(empty_app) == everything_in(app)


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
    digest = other.keep(b"theirs")
    empty_app.config["STORE"] = str(tmp_path / "other")
    answer = run_command(empty_app, "restore", backup)
    assert (answer.exit_code, "存储属于另一个登记库" in answer.output) == (1, True)
    answer = run_command(empty_app, "upgrade")
    assert (answer.exit_code, "存储中已有另一个登记库的文件" in answer.output) == (1, True)
    assert (other.identity(), list(other.digests())) == ("f" * 32, [digest])


NAMES = st.sampled_from(
    ["database", "store/../../x", "/etc/passwd", "../x", "store/ab", "", ".", "manifest.json", "x\0y"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | NAMES, inner, max_size=3),
    max_leaves=8,
)
MEMBERS = dict.fromkeys(("database", "schema", "parts", "store", "made_at"), JSON)
MANIFESTS = JSON | st.fixed_dictionaries({}, optional=MEMBERS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(manifest=MANIFESTS)
def test_any_invalid_manifest_is_refused_with_a_sentence(tmp_path: Path, manifest: Any) -> None:
    """Wrong types, missing members, names that lead out of the backup."""
    app = create_app({"SECRET_KEY": "x", "SQLALCHEMY_DATABASE_URI": "sqlite://", "STORE": str(tmp_path / "store")})
    source = tmp_path / "backup"
    source.mkdir(exist_ok=True)
    (source / "manifest.json").write_text(json.dumps(manifest))
    with app.test_request_context(), pytest.raises(Refused):
        restoring.verified_manifest(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup"]


BAD = {
    "an empty list": "[]",
    "an empty object": "{}",
    "null": "null",
    "cut off": '{"database": "sqlite", "parts": {',
    "no JSON": "\0\xff",
    "deep": "[" * 200_000,
    "bytes that are no UTF-8": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("text", BAD)
def test_an_unreadable_manifest_is_refused_and_changes_nothing(empty_app: Flask, backup: Path, text: str) -> None:
    manifest = BAD[text]
    (backup / "manifest.json").write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
    assert_refused(empty_app, backup)


def edit_manifest(backup: Path, **changes: Any) -> None:
    """Change members of the manifest."""
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(manifest | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"database": 5},
        {"database": None},
        {"schema": ["0010"]},
        {"store": "../x"},
        {"parts": []},
        {"parts": {}},
        {"parts": {"database": None}},
    ],
)
def test_a_manifest_member_of_a_wrong_type_is_refused(empty_app: Flask, backup: Path, changes: dict[str, Any]) -> None:
    edit_manifest(backup, **changes)
    assert_refused(empty_app, backup)


@pytest.mark.parametrize("name", ["store/../../outside", "/outside", "store/aa/../../../outside", "outside"])
def test_a_part_outside_the_backup_is_refused(empty_app: Flask, backup: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    parts = json.loads((backup / "manifest.json").read_text())["parts"]
    edit_manifest(backup, parts=parts | {name: "0" * 64})
    assert_refused(empty_app, backup)


@pytest.mark.parametrize("what", ["a file", "a folder", "the shelf", "the database", "the manifest", "a pipe"])
def test_a_link_in_a_backup_is_not_followed(empty_app: Flask, backup: Path, tmp_path: Path, what: str) -> None:
    """The same bytes, but through a link: `backup` writes no links."""
    file = next((backup / "store").glob("??/*"))
    moved = {
        "a file": file,
        "a pipe": file,
        "a folder": file.parent,
        "the shelf": backup / "store",
        "the database": backup / "database",
        "the manifest": backup / "manifest.json",
    }[what]
    shutil.move(moved, tmp_path / "outside")
    if what == "a pipe":
        os.mkfifo(moved)
    else:
        moved.symlink_to(tmp_path / "outside")
    assert_refused(empty_app, backup)


def test_a_damaged_database_is_refused_before_anything_changes(empty_app: Flask, backup: Path) -> None:
    (backup / "database").write_bytes(b"not a database" * 1000)
    parts = json.loads((backup / "manifest.json").read_text())["parts"]
    edit_manifest(backup, parts=parts | {"database": digest_of(backup / "database")})
    assert_refused(empty_app, backup)


def assert_refused(app: Flask, source: Path) -> None:
    """One sentence, status 1; the database has no table, the store no file, nothing is marked."""
    answer = run_command(app, "restore", source)
    assert (answer.exit_code, answer.output.count("\n")) == (1, 1), answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    with app.app_context():
        assert inspect(db.engine).get_table_names() == []
        db.engine.dispose()
    assert not Path(app.config["STORE"]).exists()
