"""The README says what the house does."""

import re
from pathlib import Path

from models.vocabulary import Action, Status
from models.workflow import RULES

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_its_table_of_acts_is_the_table_of_the_workflow() -> None:
    rows = {
        m[1]: [cell.strip() == "✓" for cell in m[2].split("|")]
        for m in re.finditer(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", README, re.M)
    }
    assert set(rows) >= {status.value for status in Status}
    for status in Status:
        assert rows[status.value] == [status in RULES[action].when for action in Action], status


def test_every_picture_it_shows_is_there() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (Path(__file__).parent.parent / picture).is_file(), picture
