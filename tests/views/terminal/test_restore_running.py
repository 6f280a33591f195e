"""A restore while others work: a second one is refused, and a running server refuses requests until its end."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from models.backup import restore_lock, unfinished_restore
from models.database import db
from tests import ROOT
from tests.serving import PATIENCE, Client, serving
from tests.views.terminal.commands import everything_in, run_command

pytestmark = pytest.mark.slow
LONG = 5 * PATIENCE  # the machine may be busy with other tests
RUNNING = "正在恢复备份，系统暂不能使用。请稍候，恢复完成后即可继续。"
# A restore that waits, its mark set, until a file is there.
SLOW = """
import pathlib, sys, time
from app import create_app
from models.backup import restoring
put, go = restoring._restore_files, pathlib.Path(sys.argv[2])
def waiting(*words):
    go.with_name("waits").touch()
    while not go.exists():
        time.sleep(0.05)
    put(*words)
restoring._restore_files = waiting
answer = create_app().test_cli_runner().invoke(args=["restore", sys.argv[1]])
print(answer.output)
sys.exit(answer.exit_code)
"""


@contextmanager
def restoring(app: Flask, source: Path, folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process that is in the middle of a restore, and the file that lets it go on."""
    names = ("SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY", "SIGNING_KEY")
    outside = os.environ | {f"FILING_{name}": str(app.config[name]) for name in names}
    go = folder / "go"
    command = [sys.executable, "-c", SLOW, str(source), str(go)]
    process = subprocess.Popen(command, cwd=ROOT, env=outside, stdout=subprocess.PIPE, text=True)
    try:
        ended = time.monotonic() + LONG
        while not (folder / "waits").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < ended
            time.sleep(0.05)
        yield process, go
    finally:
        process.kill()
        process.communicate()


def test_the_second_of_two_parallel_restores_is_refused(
    app: Flask, empty_app: Flask, backup: Path, tmp_path: Path
) -> None:
    assert run_command(empty_app, "upgrade").exit_code == 0
    with restoring(empty_app, backup, tmp_path) as (first, go):
        second = run_command(empty_app, "restore", backup)
        assert (second.exit_code, second.output) == (
            1,
            "另一个 restore 正在恢复这个数据库，没有重复进行，请等它结束。\n",
        )
        assert run_command(empty_app, "sweep").output == f"{RUNNING}\n"
        go.touch()
        assert first.wait(LONG) == 0
    assert everything_in(empty_app) == everything_in(app)


def test_a_killed_restore_holds_no_lock(app: Flask, empty_app: Flask, backup: Path, tmp_path: Path) -> None:
    with restoring(empty_app, backup, tmp_path) as (first, _go):
        first.kill()
        first.wait()
        with empty_app.app_context():
            ended = time.monotonic() + LONG  # the server notices the end of a connection
            while restore_lock.is_held(db.engine) and time.monotonic() < ended:
                time.sleep(0.05)
            assert unfinished_restore.is_unfinished() and not unfinished_restore.is_running()
            db.engine.dispose()
        again = run_command(empty_app, "restore", backup)
        assert again.exit_code == 0, again.output
    assert everything_in(empty_app) == everything_in(app)


def test_a_running_server_refuses_requests_during_a_restore(
    app: Flask, empty_app: Flask, backup: Path, tmp_path: Path
) -> None:
    """503 and a message from the mark on, for reading and writing; afterwards no restart is needed."""
    empty_app.config["SIGNING_KEY"] = app.config["SIGNING_KEY"]
    assert run_command(empty_app, "upgrade").exit_code == 0
    with serving(empty_app, tmp_path) as server:
        client = Client(server)
        assert client.get("/login").status == 200
        token = client.find_token()
        with restoring(empty_app, backup, tmp_path) as (process, go):
            for answer in (
                client.get("/login"),
                client.get("/verify/?number=Z"),
                client.post("/login", {"username": "publisher", "password": "x", "code": "x"}),
            ):
                assert (answer.status, RUNNING in answer.text) == (503, True)
                assert answer.headers["Retry-After"]
            assert client.get("/healthz").text == "restore\n"
            assert token
            go.touch()
            while process.poll() is None:
                assert client.get("/login").status in (200, 503)
            assert process.returncode == 0
        assert client.get("/healthz").text == "held\n"  # until an operator says that this is no trial
        assert server.client("publisher").get("/applications/").status == 200
        assert server.complaints() == ""
    assert run_command(empty_app, "trail", "verify").exit_code == 0
