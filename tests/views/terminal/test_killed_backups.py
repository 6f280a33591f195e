"""A backup that is killed while it is checked, or fails its check, is none; few of the latter stay."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from models import clock
from models.backup import UNCHECKED, checked, rotation
from models.workflow import Refused
from tests import ROOT
from tests.views.terminal.commands import run_command

CHECKING_FOR_LONG = """
import sys, time
from app import create_app
from models.backup import checked
checked.check = lambda *_words: time.sleep(600)
create_app().test_cli_runner().invoke(args=["backup", sys.argv[1], "--keep", "daily=2"])
"""


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_backup_killed_during_its_check_counts_as_unfinished(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    assert run_command(app, "upgrade").exit_code == 0
    folder, later = tmp_path / "backups", clock.now() + timedelta(days=1)
    outside = {f"FILING_{name}": str(app.config[name]) for name in ("SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY")}
    command = [sys.executable, "-c", CHECKING_FOR_LONG, str(folder)]
    running = subprocess.Popen(command, cwd=ROOT, env=os.environ | outside)
    try:
        while not (manifests := list(folder.glob("*/manifest*.json"))):
            assert running.poll() is None
            time.sleep(0.05)
        time.sleep(0.3)  # the manifest is written and synced; the check has begun
        running.send_signal(how)
        running.wait(30)
    finally:
        running.kill()
        running.wait()
    (killed,) = {manifest.parent for manifest in manifests}
    assert (rotation.backups(folder), list(rotation.backups(folder, complete=False).values())) == ({}, [killed])
    for command in ("restore", "drill"):
        refused = run_command(app, command, killed).output
        assert "没有做完核对，不能恢复" in refused and f"将 {UNCHECKED} 改名为 manifest.json" in refused
    monkeypatch.setattr(clock, "now", lambda: later)
    after = run_command(app, "backup", folder, "--keep", "daily=2")
    assert (after.exit_code, "删除了 1 份没有做完的备份" in after.output) == (0, True), after.output
    assert not killed.exists() and len(rotation.backups(folder)) == 1


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_of_backups_that_fail_their_check_only_the_newest_stay_and_a_good_one_always(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a day that fails would fill the disk."""
    assert run_command(app, "upgrade").exit_code == 0
    folder, now = tmp_path / "backups", clock.now()
    assert run_command(app, "backup", folder, "--keep", "daily=1").exit_code == 0
    good, seen = rotation.backups(folder), list[Path]()

    def refuse(*_words: object) -> object:
        raise Refused("这份备份不可靠。")

    monkeypatch.setattr(checked, "check", refuse)
    for day in range(1, 7):
        monkeypatch.setattr(clock, "now", lambda day=day: now + timedelta(days=day))
        failed = run_command(app, "backup", folder, "--keep", "daily=1")
        assert "只保留最新的 3 份" in failed.output
        assert ("删除了 1 份没有通过核对的较早备份。" in failed.output) == (day > 3), failed.output
        seen.append(rotation.rejected(folder)[-1])
        assert rotation.rejected(folder) == seen[-3:]
    assert rotation.backups(folder) == good and len(set(seen)) == 6
