"""Search keys of the options of a code list, besides code and name: pinyin, pinyin initials, English."""

import csv
import re
from functools import cache, lru_cache
from importlib.resources import files

import pycountry

CODE = re.compile(r"^[0-9A-Z]+-")  # before a name


def pinyin_keys(name: str) -> str:
    """Initials and full pinyin of a Chinese name, in lower case: «pjhg pujianghaiguan»; "" for an ASCII name."""
    words = CODE.sub("", name)
    known = "" if words.isascii() else _known().get(words)
    return computed_keys(words) if known is None else known


@lru_cache(maxsize=20_000)
def computed_keys(name: str) -> str:
    """As pinyin_keys(), for names that are not shipped."""
    from pypinyin import Style, lazy_pinyin  # imported here: it takes 55 MB; most processes do without

    styles = (Style.FIRST_LETTER, Style.NORMAL)
    return " ".join("".join(lazy_pinyin(name, style=style, errors="ignore")) for style in styles).strip()


@cache
def _known() -> dict[str, str]:
    """The keys of names and words that are shipped, as `python -m tests.models.codes.pinyin` writes them."""
    with (files(__package__) / "pinyin.csv").open(encoding="utf-8") as lines:
        return {row["name"]: row["keys"] for row in csv.DictReader(lines)}


@cache
def english_keys(alpha_3: str) -> str:
    """Two-letter code and ISO's names of a country, in lower case without blanks: «us unitedstates»."""
    country = pycountry.countries.get(alpha_3=alpha_3)
    names = (getattr(country, name, "") for name in ("alpha_2", "name", "common_name", "official_name"))
    return " ".join("".join(name.casefold().split()) for name in names if name)
