"""`make bench` makes its table of every page, and says so when a goal is missed."""

from pathlib import Path

import pytest
from flask import Flask

from models import access
from tests.bench import bulk, carriers, pages, peers, server, table, traces
from tests.bench.table import LIMIT, LIST, PEER, SECONDS, Goal, Line


@pytest.mark.parametrize(
    ("goal", "ratio", "verdict"),
    [
        (Goal(1.5, LIST), 1.25, "met"),
        (Goal(1, LIST), 1.25, "**missed**"),
        (Goal(2, PEER), 2.0, "met"),
        (Goal(1.9, PEER), 2.0, "**missed**"),
        (Goal(9, LIMIT), 10.0, "**missed**"),
        (Goal(0.02, SECONDS), 0.01, "met"),
        (Goal(0.005, SECONDS), 0.01, "**missed**"),
        (None, None, "–"),
    ],
)
def test_a_ratio_compares_with_the_program_named_by_its_goal(
    goal: Goal | None, ratio: float | None, verdict: str
) -> None:
    line = Line("详情", 10, 5, "django", 1, 8, goal)
    assert (line.ratio, line.verdict) == (ratio, verdict)
    assert line.markdown("SQLite").endswith(f"| {verdict} |")


def test_a_goal_against_an_unmeasured_program_has_no_verdict() -> None:
    line = Line("详情", 10, None, "", None, 8, Goal(1, PEER))
    assert (line.ratio, line.verdict) == (None, "–")


def test_every_page_gets_its_line(app: Flask, capfd: pytest.CaptureFixture[str]) -> None:
    """With a few rows, which the peers read too."""
    with app.app_context(), access.everything() as session:
        bulk.fill(session, 60)
        traces.fill(session, 60)
    lines = pages.measure(app, 1, str(app.config["SQLALCHEMY_DATABASE_URI"]))
    assert [line.name for line in lines] == [*(name for name, *_rest in pages.WANTED.values()), "/healthz"]
    assert all(line.own > 0 and line.plain for line in lines)
    compared = {name for name, page, _goal in pages.WANTED.values() if page}
    assert {line.name for line in lines if line.peer} == compared - (set() if pages.PEERS.exists() else {"编辑"})
    assert "Traceback" not in capfd.readouterr().err


def test_a_goal_in_seconds_is_printed_as_such() -> None:
    line = Line("previewed", 1234.5, None, "", None, None, Goal(2, SECONDS))
    assert line.markdown("SQLite") == "| SQLite | previewed | 1234.5 | – | – | 1.23 s | ≤ 2 s | met |"


@pytest.mark.slow
def test_pasted_rows_are_previewed_and_saved(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        bulk.fill(session, 60)
    assert [line.own > 0 for line in carriers.lines(app, 1)] == [True, True]


def test_exported_rows_are_counted(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        bulk.fill(session, 300)
    line = server.exported(app)
    assert line.own > 0
    assert "(of " in line.name


def test_the_table_replaces_the_former_one(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}former\n{table.END}after\n", encoding="utf-8")
    table.write(readme, "new\n")
    table.write(readme, "newer\n")
    assert readme.read_text(encoding="utf-8") == f"before\n{table.BEGIN}newer\n{table.END}after\n"


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("sqlite:////tmp/a.sqlite", {"ENGINE": "django.db.backends.sqlite3", "NAME": "/tmp/a.sqlite"}),
        ("postgresql+psycopg://me@127.0.0.1:5432/filing", {"ENGINE": "django.db.backends.postgresql", "NAME": "filing",
                                                           "USER": "me", "HOST": "127.0.0.1", "PORT": 5432}),
    ],
)  # fmt: skip
def test_django_uses_the_same_database(address: str, wanted: dict[str, object]) -> None:
    assert wanted.items() <= peers.rows_of(address).items()
