"""Which imports count as an arrow between rooms."""

import pytest

from tests.rooms import rooms_imported

FUNCTION = "def late() -> None:\n    {statement}\n"
TYPING = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {statement}\n"
NO_ARROWS = ["import json", "from pathlib import Path", "import viewstate.models"]
ARROWS = [
    "import models.customs",
    "import models.customs.outbox",
    "import json, models.customs.outbox as outbox",
    "from models import customs",
    "from models.customs import outbox",
    "from models.customs.outbox import enqueue",
]


@pytest.mark.parametrize("statement", ARROWS)
def test_an_import_is_seen_in_each_form_at_the_top_and_in_functions(statement: str) -> None:
    for source in (statement, FUNCTION.format(statement=statement)):
        assert rooms_imported(source) == {("models", "customs")}, source


@pytest.mark.parametrize("statement", ARROWS)
def test_what_only_a_type_checker_reads_is_no_arrow(statement: str) -> None:
    assert rooms_imported(TYPING.format(statement=statement)) == set()
    otherwise = TYPING.format(statement="pass") + f"else:\n    {statement}\n"
    assert rooms_imported(otherwise) == {("models", "customs")}


@pytest.mark.parametrize("statement", NO_ARROWS)
def test_imports_of_other_packages_are_no_arrows(statement: str) -> None:
    assert rooms_imported(statement) == set()


def test_a_tree_without_a_room_is_an_arrow_too() -> None:
    """`import models` would reach every room, so that the order forbids it."""
    assert rooms_imported("import models") == {("models", "__init__")}


def test_a_relative_import_is_refused() -> None:
    with pytest.raises(AssertionError, match="whole path"):
        rooms_imported("from . import customs")
