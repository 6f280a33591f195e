"""The words of the Makefile, and the check that no test was left out."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests import ROOT


def run(*words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A program run in the project; `path` is searched for programs before the usual places."""
    places = os.pathsep.join(filter(None, [path and str(path), os.environ["PATH"]]))
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # we run under make
    return subprocess.run(words, cwd=ROOT, env=outside | {"PATH": places}, capture_output=True, text=True)


def program(folder: Path, name: str, script: str) -> None:
    """Put a program of this name into the folder."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_make_without_a_target_lists_the_targets() -> None:
    words = {line.split()[1] for line in run("make").stdout.splitlines()}
    assert words >= {"help", "setup", "run", "test", "migration", "lint", "clean"}


def test_make_migration_without_a_name_asks_for_one() -> None:
    answer = run("make", "-o", ".venv/requirements.txt", "migration")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "请写明改了什么" in answer.stderr


def test_installed_packages_are_not_downloaded_again(tmp_path: Path) -> None:
    program(tmp_path, "dpkg-query", "echo -n installed")
    program(tmp_path, "apt-get", "echo asked; exit 1")
    answer = run("make", "packages", path=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "")


def test_a_missing_package_without_network_is_reported(tmp_path: Path) -> None:
    program(tmp_path, "dpkg-query", '[ "$4" = chromium ] || echo -n installed')
    program(tmp_path, "apt-get", "exit 100")
    program(tmp_path, "sudo", 'exec "$@"')
    answer = run("make", "packages", path=tmp_path)
    assert answer.returncode != 0
    assert answer.stdout == "安装系统软件包： chromium\n"
    assert "请检查网络" in answer.stderr


def test_the_demo_server_listens_on_localhost_only() -> None:
    """24: without nginx in front, no other machine may reach it."""
    recipe = run("make", "-n", "-o", ".venv/requirements.txt", "run").stdout
    assert re.findall(r"--bind (\S+);", recipe) == ["127.0.0.1:8000"]


@pytest.mark.parametrize(("word", "wanted"), [("run", False), ("test", True)])
def test_nginx_is_installed_for_the_tests_only(tmp_path: Path, word: str, wanted: bool) -> None:
    recipe = run("make", "-n", word).stdout
    assert ("nginx" in recipe.split("apt-get")[0]) is wanted


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    program(tmp_path, "python-of-old", "exit 1")
    answer = run("make", "packages", f"PYTHON={tmp_path}/python-of-old")
    assert answer.returncode != 0
    assert "需要 Python 3.11 或更高版本" in answer.stderr


@pytest.mark.parametrize(
    ("closing", "status", "passes"),
    [
        ("===== 812 passed in 80.12s (0:01:20) =====", 0, True),
        ("===== 812 passed, 3 warnings in 80.12s (0:01:20) =====", 0, True),
        ("===== 410 passed, 402 skipped in 40.12s =====", 0, False),
        ("===== 410 passed, 402 deselected in 40.12s =====", 0, False),
        ("===== 811 passed, 1 xfailed in 80.12s (0:01:20) =====", 0, False),
        ("===== 1 failed, 811 passed in 80.12s (0:01:20) =====", 2, False),
        ("", 0, False),
    ],
)
def test_ci_passes_only_when_every_test_ran_and_passed(tmp_path: Path, closing: str, status: int, passes: bool) -> None:
    """QA: a skipped database or browser is a failure. A stand-in for make closes as pytest would."""
    program(tmp_path, "make", f'[ "$1" = lint ] && exit 0\n[ "$CI" = true ] || exit 9\necho "{closing}"\nexit {status}')
    answer = run(".ci/run", path=tmp_path)
    assert (answer.returncode == 0) == passes
    assert answer.stdout.splitlines()[-1] == closing


def test_ci_fails_when_the_first_of_two_parts_skipped_a_test(tmp_path: Path) -> None:
    program(tmp_path, "make", 'echo "===== 1 passed, 1 skipped in 1.00s ====="; echo "===== 2 passed in 1.00s ====="')
    assert run(".ci/run", path=tmp_path).returncode == 1


def test_make_test_runs_every_test_in_two_parts() -> None:
    """The quick part first, and nothing in between."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ntest: setup")[1].split("\n\n")[0]
    quick, slow = "-n auto --part quick", "-n $$(($$(nproc) * 3 / 2)) --part slow"  # which waits for others
    assert recipe.splitlines()[1:] == [f"\t@$(BIN)/pytest {words}" for words in (quick, slow)]


def test_ci_stops_at_lint(tmp_path: Path) -> None:
    program(tmp_path, "make", '[ "$1" = lint ] && exit 2\necho tested')
    answer = run(".ci/run", path=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
