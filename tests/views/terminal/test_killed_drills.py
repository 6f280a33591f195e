"""A trial restore that is ended from outside leaves nothing, or the next one deletes what it left."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models.database import db
from tests import ROOT
from tests.apps import is_on_sqlite
from tests.views.terminal.commands import run_command
from views.terminal.drill_folder import empty_folder


def left(app: Flask, temporary: Path) -> list[str]:
    """Folders and databases of drills of this register."""
    found = [path.name for path in temporary.glob("filing-drill-*")]
    if not is_on_sqlite(app):
        names = "SELECT d.datname FROM pg_database d, pg_database me WHERE me.datname = current_database() "
        names += "AND d.datname = 'filing_drill_' || me.oid"
        with app.app_context(), db.engine.connect() as connection:
            found += connection.exec_driver_sql(names).scalars()
    return found


def drill_until(app: Flask, backup: Path, temporary: Path, how: signal.Signals) -> None:
    """Run a drill in a process group of its own, which gets this signal in the middle of the restore."""
    names = ("SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY", "SIGNING_KEY")
    outside = {f"FILING_{name}": str(app.config[name]) for name in names} | {"TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "flask", "--app", "app", "drill", str(backup)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | outside, start_new_session=True)
    while not list(temporary.glob("filing-drill-*/store/*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how) if how is signal.SIGTERM else os.killpg(process.pid, how)
    assert process.wait(60) != 0


def test_a_killed_drill_leaves_nothing_behind_after_the_next(
    app: Flask, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM: at once. SIGKILL: what is left is deleted by the next drill."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    drill_until(app, backup, temporary, signal.SIGTERM)
    assert left(app, temporary) == []
    drill_until(app, backup, temporary, signal.SIGKILL)
    assert len(left(app, temporary)) == (1 if is_on_sqlite(app) else 2)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    for _try in range(100):
        drilled = run_command(app, "drill", backup)
        if "另一个 drill" not in drilled.output:
            break
        time.sleep(0.1)  # PostgreSQL has not noticed yet that the killed one is gone
    assert (drilled.exit_code, "可以恢复" in drilled.output) == (0, True), drilled.output
    assert left(app, temporary) == []


@pytest.mark.parametrize("when", ["before the lock", "while it is locked"])
def test_two_drills_that_begin_together_delete_no_folder_of_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The second one begins just when the first has made its folder, or has opened it for its lock."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = (tempfile, "mkdtemp") if when == "before the lock" else (fcntl, "flock")
    real, begun = getattr(*place), []

    def interrupted(*given: Any, **named: Any) -> Any:
        made = real(*given, **named) if place[0] is tempfile else None
        if not begun:
            begun.append(True)
            with empty_folder() as other:
                assert other.is_dir()
        return made if place[0] is tempfile else real(*given, **named)

    monkeypatch.setattr(*place, interrupted)
    with empty_folder() as folder:
        (folder / "store").mkdir()
        with empty_folder() as other:
            assert folder.is_dir() and other.is_dir()
    assert begun and list(tmp_path.iterdir()) == []
