"""`python -m tests.models.codes.pinyin` writes the file of search keys, so that no process has to compute them."""

import csv
import io
import re

from models import codes
from models.codes.search import computed_keys
from tests import ROOT
from views.translations.words import read_catalogue

FILE = ROOT / "models/codes/pinyin.csv"
LISTS = ("province", "country", "currency", "unit", "carrier")
LONGEST = 20  # characters of a word that may be an option


def names() -> list[str]:
    """All options that a select may show: code lists and customs districts, other names of carriers, short words."""
    found = {name for each in LISTS for name in codes._shipped(each, False).values()}
    found |= set(codes._read("district").values())
    others = [other for listed in codes._other_names().values() for other in listed]
    found |= {*others, *("".join(other.split()) for other in others)}
    words = (str(message.id) for message in read_catalogue())
    found |= {each for each in words if len(each) <= LONGEST and not re.search(r"[%{。？\n]", each)}
    return sorted(name for name in found if not name.isascii())


def written() -> str:
    """The content of the file."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("name", "keys"))
    lines.writerows((name, computed_keys(name)) for name in names())
    return out.getvalue()


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
