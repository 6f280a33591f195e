"""People go on working while `backup` runs, and the backup is whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from flask import Flask

from tests.cast import create_application
from tests.views.terminal.commands import run_command

WRITTEN, MOST = 3, 20  # applications that must be submitted during backups; backups in which that must happen


def test_applications_are_saved_and_submitted_while_a_backup_runs(app: Flask, tmp_path: Path) -> None:
    """Each backup verifies itself; the last one is restored on trial, and its records, files and numbers agree."""
    assert run_command(app, "upgrade").exit_code == 0
    create_application(app, "publisher", "pending")
    during, done, is_running = list[int](), Event(), Event()

    def write() -> None:
        while not done.is_set():
            key = create_application(app, "publisher", "pending")
            if is_running.is_set():
                during.append(key)

    with ThreadPoolExecutor(1) as people:
        writing = people.submit(write)
        try:
            for number in range(MOST):
                is_running.set()
                answer = run_command(app, "backup", place := tmp_path / str(number))
                is_running.clear()
                assert answer.exit_code == 0, answer.output
                if len(during) >= WRITTEN:
                    break
        finally:
            done.set()
        writing.result()
    assert len(during) >= WRITTEN
    drilled = run_command(app, "drill", place)
    assert (drilled.exit_code, "可以恢复" in drilled.output) == (0, True), drilled.output
