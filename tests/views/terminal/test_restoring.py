"""Restore: whatever stops it, and wherever, the register is empty, marked as unfinished, or whole."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
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
from tests.views.terminal.test_backup import elsewhere as elsewhere
from tests.views.terminal.test_backup import everything_in, told

UNFINISHED = "上一次恢复没有完成，系统暂不能使用。请重新运行 restore，完成后再启动。"
AGAIN = "恢复没有完成，系统暂不能使用。请排除原因后重新运行 restore。"
STEPS: tuple[Callable[..., Any], ...] = (  # that change something
    restoring.restore,
    restoring._put_files_back,
    restoring._put_database_back,
    restoring._mark,
    restoring._finish,
    unfinished_restore.begin,
    Store.keep_copy,
    Store.set_identity,
    Folder.take,
    Folder.set_identity,
)


@pytest.fixture
def backup(app: Flask, make_application: Making, tmp_path: Path) -> Path:
    """A backup of a register with two applications."""
    assert told(app, "upgrade").exit_code == 0
    make_application(status="customs_received")
    make_application(by="agent", status="returned")
    assert told(app, "backup", tmp_path / "kept").exit_code == 0
    return tmp_path / "kept"


def restored_until(app: Flask, source: Path, line: int) -> bool:
    """Restore in a process that kills itself at the so-manieth line of STEPS that it runs; whether it came so far."""
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
        told(app, "restore", source)
    finally:
        os._exit(0)


def is_marked(app: Flask) -> bool:
    """Whether a command is refused and /healthz tells of it; both or neither."""
    refused = told(app, "sweep")
    word = app.test_client().get("/healthz").text
    marked = UNFINISHED in refused.output
    assert (refused.exit_code == 1, word.splitlines()[0] == "restore") == (marked, marked), (refused.output, word)
    return marked


def test_a_restore_killed_at_any_step_is_marked_or_has_done_nothing_and_goes_on_when_run_again(
    app: Flask, elsewhere: Flask, backup: Path
) -> None:
    """SIGKILL at every line that changes something, one run after the other on what the former has left."""
    elsewhere.config["SIGNING_KEY"] = app.config["SIGNING_KEY"]
    assert told(elsewhere, "upgrade").exit_code == 0
    empty, whole, line, seen = everything_in(elsewhere)[0], everything_in(app), 1, list[str]()
    while restored_until(elsewhere, backup, line):
        if is_marked(elsewhere):
            seen.append("marked")
        else:
            rows, files = everything_in(elsewhere)
            seen.append("whole" if (rows, files) == whole else "empty" if rows == empty else "half")
        if seen[-1] == "whole":
            break
        line += 1
    states = [state for state, before in zip(seen, ["", *seen], strict=False) if state != before]
    assert states in (["empty", "marked", "whole"], ["empty", "marked"])
    assert seen.count("marked") > 20, seen
    assert everything_in(elsewhere) == whole
    assert told(elsewhere, "trail", "verify").exit_code == 0
    assert told(elsewhere, "restore", backup).exit_code == 1, "a register in use is not written over"
    assert everything_in(elsewhere) == whole


def test_a_server_does_not_start_on_a_half_restored_register(app: Flask, elsewhere: Flask, backup: Path) -> None:
    with elsewhere.app_context():
        unfinished_restore.begin(db.engine, secrets.token_hex(16))
        db.engine.dispose()
    names = ("SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY", "SIGNING_KEY")
    outside = os.environ | {f"FILING_{name}": str(elsewhere.config[name]) for name in names}
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    command = [gunicorn, "--config", "python:views.entrance.server", "--bind", "127.0.0.1:0"]
    done = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert UNFINISHED in done.stderr
    assert "Traceback" not in done.stderr
    answer = create_app(dict(elsewhere.config)).test_client().get("/login")
    assert (answer.status_code, UNFINISHED in answer.text) == (503, True)
    assert told(elsewhere, "restore", backup).exit_code == 0
    assert elsewhere.test_client().get("/login").status_code == 200


def test_a_full_disk_is_a_sentence_and_the_restore_is_run_again(
    app: Flask, elsewhere: Flask, backup: Path, tmp_path: Path
) -> None:
    """Files come first: the disk is full before the database is touched."""
    disk = tmp_path / "disk"
    with small_disk(disk, "16k"):
        elsewhere.config["STORE"] = str(disk / "store")
        answer = told(elsewhere, "restore", backup)
        assert (answer.exit_code, answer.output) == (
            1,
            f"存储空间不足，文件没有保存。请系统管理员清理或扩充存储后重试。{AGAIN}\n",
        )
        assert is_marked(elsewhere)
        remount(disk, "size=64m")
        assert told(elsewhere, "restore", backup).exit_code == 0
        assert everything_in(elsewhere) == everything_in(app)


def test_a_full_disk_of_the_backup_is_a_sentence_and_no_backup(app: Flask, backup: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "16k"):
        answer = told(app, "backup", disk / "again")
        assert (answer.exit_code, answer.output.endswith("备份没有完成。\n")) == (1, True), answer.output
        assert len(answer.output.splitlines()) == 1
        assert "没有备份清单" in told(app, "restore", disk / "again").output


def test_a_store_of_another_register_is_not_taken(app: Flask, elsewhere: Flask, backup: Path, tmp_path: Path) -> None:
    """Nor is it by `upgrade`, whose next sweep would take its files for nobody's."""
    other = Store(str(tmp_path / "other"))
    other.set_identity("f" * 32)
    digest = other.keep(b"theirs")
    elsewhere.config["STORE"] = str(tmp_path / "other")
    answer = told(elsewhere, "restore", backup)
    assert (answer.exit_code, "存储属于另一个登记库" in answer.output) == (1, True)
    answer = told(elsewhere, "upgrade")
    assert (answer.exit_code, "存储中已有另一个登记库的文件" in answer.output) == (1, True)
    assert (other.identity(), list(other.kept())) == ("f" * 32, [digest])


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
@given(said=MANIFESTS)
def test_any_manifest_but_a_good_one_is_a_sentence(tmp_path: Path, said: Any) -> None:
    """Wrong types, missing members, names that lead out of the backup."""
    app = create_app({"SECRET_KEY": "x", "SQLALCHEMY_DATABASE_URI": "sqlite://", "STORE": str(tmp_path / "store")})
    source = tmp_path / "kept"
    source.mkdir(exist_ok=True)
    (source / "manifest.json").write_text(json.dumps(said))
    with app.test_request_context(), pytest.raises(Refused):
        restoring.proved(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


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
def test_a_manifest_that_is_none_is_one_sentence_and_changes_nothing(elsewhere: Flask, backup: Path, text: str) -> None:
    said = BAD[text]
    (backup / "manifest.json").write_bytes(said if isinstance(said, bytes) else said.encode())
    assert_refused(elsewhere, backup)


def edited(backup: Path, **changes: Any) -> None:
    """Change members of the manifest."""
    said = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(said | changes))


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
def test_a_member_of_a_wrong_type_is_one_sentence(elsewhere: Flask, backup: Path, changes: dict[str, Any]) -> None:
    edited(backup, **changes)
    assert_refused(elsewhere, backup)


@pytest.mark.parametrize("name", ["store/../../outside", "/outside", "store/aa/../../../outside", "outside"])
def test_a_part_that_lies_elsewhere_is_refused(elsewhere: Flask, backup: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    parts = json.loads((backup / "manifest.json").read_text())["parts"]
    edited(backup, parts=parts | {name: "0" * 64})
    assert_refused(elsewhere, backup)


@pytest.mark.parametrize("what", ["a file", "a folder", "the shelf", "the database", "the manifest", "a pipe"])
def test_a_link_in_a_backup_is_not_followed(elsewhere: Flask, backup: Path, tmp_path: Path, what: str) -> None:
    """The same bytes, but through a link: whoever made the backup did not put it there."""
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
    assert_refused(elsewhere, backup)


def test_a_database_that_is_none_is_refused_before_anything_changes(elsewhere: Flask, backup: Path) -> None:
    (backup / "database").write_bytes(b"not a database" * 1000)
    parts = json.loads((backup / "manifest.json").read_text())["parts"]
    edited(backup, parts=parts | {"database": digest_of(backup / "database")})
    assert_refused(elsewhere, backup)


def assert_refused(app: Flask, source: Path) -> None:
    """One sentence, status 1; the database has no table, the store no file, nothing is marked."""
    answer = told(app, "restore", source)
    assert (answer.exit_code, answer.output.count("\n")) == (1, 1), answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    with app.app_context():
        assert inspect(db.engine).get_table_names() == []
        db.engine.dispose()
    assert not Path(app.config["STORE"]).exists()
