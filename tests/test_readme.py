"""The README agrees with the code."""

import re

import pytest

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


def test_the_recipe_for_a_field_lists_every_place_that_names_one() -> None:
    """Followed for a field like SID 码, which the certificate shows; README: «A field»."""
    recipe = README.split("**A field.**")[1].split("**A status.**")[0]
    for file in (path for room in ("models", "views", "templates") for path in (ROOT / room).glob("**/*")):
        name = file.relative_to(ROOT).as_posix()
        if file.suffix in {".py", ".xsd", ".html", ".js"} and "versions" not in file.parts:
            assert "sid_code" not in file.read_text(encoding="utf-8") or f"`{name}`" in recipe, name
    assert "make migration" in recipe
    assert "make screens" in recipe


@pytest.mark.slow
def test_the_table_of_rooms_matches_the_imports() -> None:
    """`python -m tests.rooms` writes it."""
    assert table(ORDER) in README
