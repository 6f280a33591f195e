"""A backup is checked when it is made, older ones go by a rule, and the newest is restored on trial."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from models import access, clock
from models.backup import DATABASE, MANIFEST, UNCHECKED, checked, digest_of, rotation
from models.workflow import Refused
from tests import ROOT
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.terminal.commands import everything_in, run_command


def test_the_newest_of_each_day_week_and_month_is_kept() -> None:
    noon = datetime(2026, 11, 26, 12)  # a Thursday
    moments = [noon - timedelta(days=day, hours=hour) for day in range(400) for hour in (0, 6)]
    retained = rotation.to_keep(moments, rotation.parse("daily=3,weekly=2,monthly=2"))
    days = [26, 25, 24]
    assert retained == {noon.replace(day=day) for day in days} | {
        noon.replace(day=22),  # the Sunday of the week before
        noon.replace(month=10, day=31),
    }
    assert rotation.to_keep(moments[:1], {"monthly": 1}) == {noon}


@pytest.mark.parametrize("rule", ["", "daily", "daily=0", "yearly=1", "daily=7;weekly=5", "daily=-1"])
def test_an_invalid_retention_rule_is_refused(rule: str) -> None:
    with pytest.raises(Refused, match="--keep"):
        rotation.parse(rule)


def test_every_backup_is_verified_before_old_ones_are_deleted_and_a_wrong_one_is_kept(
    app: Flask, make_application: MakeApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_application(status="filed")
    assert run_command(app, "upgrade").exit_code == 0
    folder, now = tmp_path / "backups", clock.now()
    (folder / "mine").mkdir(parents=True)
    for day in (3, 2, 1):
        monkeypatch.setattr(clock, "now", lambda day=day: now - timedelta(days=day))
        made = run_command(app, "backup", folder, "--keep", "daily=2")
        assert (made.exit_code, "已逐一核对" in made.output) == (0, True), made.output
    whole = sorted(rotation.backups(folder))
    assert len(whole) == 2
    monkeypatch.setattr(clock, "now", lambda: now)
    damage = "models.backup.checked.verified_manifest"

    def damaged(source: Path, _manifest: str) -> object:
        (source / DATABASE).write_bytes(b"x")
        raise Refused("备份中的“database”缺失或与清单不符，没有恢复任何内容。")

    with monkeypatch.context() as patched:
        patched.setattr(damage, damaged)
        failed = run_command(app, "backup", folder, "--keep", "daily=2")
    assert (failed.exit_code, "与清单不符" in failed.output) == (1, True)
    assert sorted(rotation.backups(folder)) == whole
    assert (folder / "mine").is_dir()
    (wrong,) = rotation.rejected(folder)
    kept = f"“{wrong}”没有通过核对，不算备份"
    assert kept in failed.output and wrong.name.startswith(f"{now:%Y-%m-%d}")
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=1))
    next_one = run_command(app, "backup", folder, "--keep", "daily=2")
    assert (next_one.exit_code, kept in next_one.output, "没有做完" in next_one.output) == (0, True, False)
    assert (wrong / DATABASE).read_bytes() == b"x", "what is wrong stays until a person has seen it"
    assert len(rotation.backups(folder)) == 2 and rotation.newest(folder) != wrong
    for command in ("restore", "drill"):
        refused = run_command(app, command, wrong).output
        assert "没有通过核对，不能恢复" in refused and "将 manifest-rejected.json 改名为 manifest.json" in refused


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("failing", ["counts_in", "counts_of"])
def test_a_backup_whose_check_did_not_finish_is_unfinished(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """In the copy, as without pg_restore, or in the database, which is counted a second time; SIGTERM does the same.

    The next one deletes it before it begins: a copy for each failure would fill the disk.
    """
    assert run_command(app, "upgrade").exit_code == 0
    folder, now, count = tmp_path / "backups", clock.now(), getattr(checked, failing)
    for day, end in enumerate((lambda: os.kill(os.getpid(), signal.SIGTERM), lambda: os.stat(tmp_path / "missing"))):

        def fail(*words: object, end: Callable[[], object] = end) -> object:
            if failing == "counts_in" or list(folder.glob(f"*/{UNCHECKED}")):
                end()
            return count(*words)

        monkeypatch.setattr(clock, "now", lambda day=day: now + timedelta(days=day))
        with monkeypatch.context() as patched:
            patched.setattr(checked, failing, fail)
            failed = run_command(app, "backup", folder, "--keep", "daily=2")
        assert (failed.exit_code, "没有通过核对" in failed.output) == (1, False), failed.output
        assert (len(rotation.backups(folder, complete=False)), rotation.backups(folder)) == (1, {})
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=2))
    assert "删除了 1 份没有做完的备份" in run_command(app, "backup", folder, "--keep", "daily=2").output


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_damaged", [True, False])
def test_a_backup_that_cannot_be_read_back_is_kept(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_damaged: bool
) -> None:
    """It may be the only trace of a failing disk."""
    assert run_command(app, "upgrade").exit_code == 0
    verify = checked.verified_manifest

    def spoil(source: Path, manifest: str) -> object:
        if not is_damaged:
            raise OSError(errno.EIO, "Input/output error")
        read = verify(source, manifest)
        (source / DATABASE).write_bytes(b"x" * 8192)
        return read

    with monkeypatch.context() as patched:
        patched.setattr(checked, "verified_manifest", spoil)
        failed = run_command(app, "backup", tmp_path / "backups", "--keep", "daily=2")
    assert (failed.exit_code, "没有通过核对" in failed.output) == (1, True), failed.output
    assert len(rotation.rejected(tmp_path / "backups")) == 1


STALLED = """
import sys, time
from app import create_app
from models import backup
backup._dump = lambda *_words: time.sleep(600)
create_app().test_cli_runner().invoke(args=["backup", sys.argv[1], "--keep", "daily=2"])
"""


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_the_next_backup_deletes_interrupted_ones_but_none_in_progress(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_command(app, "upgrade").exit_code == 0
    folder, now = tmp_path / "backups", clock.now()
    outside = {f"FILING_{name}": str(app.config[name]) for name in ("SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY")}
    running = subprocess.Popen([sys.executable, "-c", STALLED, str(folder)], cwd=ROOT, env=os.environ | outside)
    try:
        while not (unfinished := list(folder.glob("2*"))):
            assert running.poll() is None
            time.sleep(0.05)
        monkeypatch.setattr(clock, "now", lambda: now - timedelta(days=2))
        during = run_command(app, "backup", folder, "--keep", "daily=2")
        assert (during.exit_code, "没有做完" in during.output) == (0, False), during.output
        assert unfinished[0].is_dir()
    finally:
        running.kill()
        running.wait()
    monkeypatch.setattr(clock, "now", lambda: now - timedelta(days=1))
    after = run_command(app, "backup", folder, "--keep", "daily=2")
    assert (after.exit_code, "删除了 1 份没有做完的备份" in after.output) == (0, True), after.output
    assert sorted(folder.glob("2*")) == sorted(rotation.backups(folder).values())
    assert len(rotation.backups(folder)) == 2


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_lock_that_cannot_be_opened_prevents_no_backup(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that another person has made. Nothing unfinished is deleted then, and a stray file stops nothing."""
    assert run_command(app, "upgrade").exit_code == 0
    folder = tmp_path / "backups"
    (folder / rotation.LOCK).mkdir(parents=True)
    (folder / "2026-01-01T000000").mkdir()
    done = run_command(app, "backup", folder, "--keep", "daily=2")
    assert (done.exit_code, "没有做完" in done.output) == (0, False), done.output
    (folder / rotation.LOCK).rmdir()
    later = clock.now() + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    (folder / "2026-01-02T000000").write_text("no folder")
    again = run_command(app, "backup", folder, "--keep", "daily=2")
    assert (again.exit_code, "删除了 1 份没有做完的备份" in again.output) == (0, True), again.output


def test_a_row_missing_in_the_backup_is_found(app: Flask, make_application: MakeApplication, tmp_path: Path) -> None:
    """Counted in the copy itself, on both databases."""
    make_application(status="filed")
    assert run_command(app, "upgrade").exit_code == 0
    assert run_command(app, "backup", tmp_path / "one").exit_code == 0
    with app.app_context(), access.everything() as session:
        now = checked.counts_of(session)
    (tmp_path / "one" / MANIFEST).rename(tmp_path / "one" / UNCHECKED)
    before = now | {"log_entry": 0}
    assert checked.check(tmp_path / "one", before, now)["trail_entry"] == now["trail_entry"] > 0
    with pytest.raises(Refused, match="trail_entry"):
        checked.check(tmp_path / "one", before | {"trail_entry": now["trail_entry"] + 1}, now)


def test_a_trial_restore_of_the_newest_backup_leaves_nothing_behind(
    app: Flask, make_application: MakeApplication, tmp_path: Path, invoke: Invoke
) -> None:
    make_application(status="customs_received")
    assert run_command(app, "upgrade").exit_code == 0
    folder = tmp_path / "backups"
    assert run_command(app, "backup", folder, "--keep", "daily=2").exit_code == 0
    before = everything_in(app)
    tried = invoke("drill", str(folder))
    assert (tried.exit_code, "可以恢复" in tried.output) == (0, True), tried.output
    assert everything_in(app) == before
    assert "可以恢复" not in invoke("drill", str(tmp_path / "nothing")).output


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_backup_with_a_changed_record_fails_the_trial(
    app: Flask, make_application: MakeApplication, tmp_path: Path, invoke: Invoke
) -> None:
    """SQLite, whose copy is easily edited. Its list agrees, for it was written anew; the seals do not."""
    make_application(status="filed")
    assert run_command(app, "upgrade").exit_code == 0
    assert run_command(app, "backup", tmp_path / "one").exit_code == 0
    file = tmp_path / "one" / DATABASE
    with sqlite3.connect(file) as copy:
        copy.execute("DROP TRIGGER keep_trail_entry_update")
        copy.execute("UPDATE trail_entry SET actor_name = 'x' WHERE id = 1")
    copy.close()
    manifest = (tmp_path / "one" / MANIFEST).read_text(encoding="utf-8").splitlines()
    lines = [f'  "database": "{digest_of(file)}",' if line.startswith('  "database"') else line for line in manifest]
    (tmp_path / "one" / MANIFEST).write_text("\n".join(lines), encoding="utf-8")
    failed = invoke("drill", str(tmp_path / "one"))
    assert (failed.exit_code, "试恢复没有通过（trail verify）" in failed.output) == (1, True), failed.output
