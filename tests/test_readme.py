"""The README agrees with the code."""

import re
import tomllib
from datetime import date

import click
import pytest
from flask import Flask

from app import SETTINGS
from models.vocabulary import Action, Delivery, Status
from models.workflow import ACTS, MESSAGE_ACTS
from tests import ROOT
from tests.rooms import table
from tests.test_house import ORDER

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_acts_matches_the_workflow() -> None:
    rows = {
        m[1]: [cell.strip() == "✓" for cell in m[2].split("|")]
        for m in re.finditer(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", README, re.M)
    }
    assert set(rows) >= {status.value for status in Status}
    for status in Status:
        assert rows[status.value] == [status in ACTS[action].when for action in Action], status


def test_the_table_of_messages_matches_the_workflow() -> None:
    table = README.split("| message | shown as |")[1].split("\n\n")[0]
    heads = [str(act.label) for act in MESSAGE_ACTS]
    assert [head.strip() for head in table.splitlines()[0].strip("| ").split("|")] == heads
    rows = {
        m[1]: [cell.strip() for cell in m[2].split("|")]
        for m in re.finditer(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", table, re.M)
    }
    assert set(rows) == {state.value for state in Delivery}
    for state in Delivery:
        cells = [
            "" if state not in rule.when else "久未回执" if rule.unanswered else "✓" for rule in MESSAGE_ACTS.values()
        ]
        assert rows[state.value] == cells, state


def test_every_picture_of_the_readme_exists() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture


def test_every_path_that_the_readme_names_exists() -> None:
    """Between backticks, and in the map of the house."""
    named = {words.split()[0] for words in re.findall(r"`([^`\n]+)`", README)}
    paths = {name for name in named if re.match(r"(models|views|templates|tests|\.ci)/", name)}
    assert len(paths) > 30
    for path in paths:
        assert (ROOT / path).exists(), path


def test_the_map_of_the_house_names_only_rooms_that_exist() -> None:
    inside, seen = ROOT, 0
    for line in README.split("## Map of the house")[1].split("```")[1].splitlines():
        if not (found := re.match(r"( {2})?(\w[\w./]*(?: · \w[\w./]*)*) {2,}", line)):
            continue
        indented, names = found.groups()
        inside = inside if indented else ROOT
        for name in names.split(" · "):
            assert (inside / name).exists() or (inside / f"{name}.py").exists(), line
        inside, seen = inside if indented else ROOT / names, seen + 1
    assert seen > 30


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_every_command_of_the_readme_exists(app: Flask) -> None:
    """Of flask, of make, and the modules of `python -m`."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    asked = set(re.findall(r"(?:^make ([a-z]+) +#|`make ([a-z]+))", README, re.M))
    assert {first or second for first, second in asked} <= targets
    for module in re.findall(r"python -m (tests[\w.]*)", README):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    found = re.findall(r"flask --app app ([^`#&)\n]+)", README)
    names = app.cli.list_commands(click.Context(app.cli))
    short = [words for words in re.findall(r"`([a-z]+ [a-z-][^`\n]*)`", README) if words.split()[0] in names]
    assert len(found) >= 10 and len(short) >= 10
    for words in found + short:
        check_command(app.cli, words.split())


def check_command(command: click.Command, words: list[str]) -> None:
    """Every command and option in these words exists."""
    rest = iter(words)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), next(rest))
        assert found, words
        command = found
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options, words


def test_every_setting_of_the_readme_exists() -> None:
    for name in set(re.findall(r"FILING_([A-Z]+(?:_[A-Z]+)*)", README)):
        assert name in SETTINGS, name


def test_every_part_of_the_readme_that_the_sources_name_exists() -> None:
    sources = [ROOT / "app.py", *(path for room in ("models", "views") for path in (ROOT / room).glob("**/*.py"))]
    named = {part for path in sources for part in re.findall(r"\(README: ([^)]+)\)", path.read_text(encoding="utf-8"))}
    assert "Behind nginx" in named
    for part in named:
        assert f"## {part}\n" in README, part


def test_the_recipe_for_a_field_lists_every_place_that_names_one() -> None:
    """Followed for a field like SID 码, which the certificate shows; README: «A field»."""
    recipe = README.split("**A field.**")[1].split("**A status.**")[0]
    for file in (path for room in ("models", "views", "templates") for path in (ROOT / room).glob("**/*")):
        name = file.relative_to(ROOT).as_posix()
        if file.suffix in {".py", ".xsd", ".html", ".js"} and "versions" not in file.parts:
            assert "sid_code" not in file.read_text(encoding="utf-8") or f"`{name}`" in recipe, name
    assert "make migration" in recipe
    assert "make screens" in recipe


def test_the_newest_entry_of_changes_is_the_present_version() -> None:
    """Each entry has its version, date and migrations; a new version is an entry first."""
    changes = README.split("## Changes\n")[1]
    entries = re.findall(r"^\*\*([\d.]+)\*\* \(([\d-]+), migrations? (\d{4})(?: to (\d{4}))?\)", changes, re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert len(entries) == changes.count("\n**") > 1 and entries[0][0] == project["version"]
    dates = [date.fromisoformat(day) for _, day, *_ in entries]
    assert dates == sorted(dates, reverse=True)
    firsts, lasts = [int(first) for *_, first, _ in entries], [int(last or first) for *_, first, last in entries]
    assert [last + 1 for last in lasts[1:]] == firsts[:-1]


@pytest.mark.slow
def test_the_table_of_rooms_matches_the_imports() -> None:
    """`python -m tests.rooms` writes it."""
    assert table(ORDER) in README
