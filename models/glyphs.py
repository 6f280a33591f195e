"""Whether the fonts of the certificate can draw what is granted (GB 18030-2022: names with rare characters)."""

import re
import subprocess
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

STYLE = Path(__file__).parent.parent / "templates" / "static" / "certificate.css"
UNSEEN = {"Cc", "Cf"}  # controls and joiners: nothing is drawn for them
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # make the eye read another order than filed
SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))  # choose a form of the character before them


def undrawable(texts: Iterable[str]) -> list[str]:
    """The characters of `texts` that no font of the style sheet has, or that would turn others around, in order."""
    signs = set().union(*texts)
    return sorted(sign for sign in signs if _turns(sign) or (_seen(sign) and ord(sign) not in _drawn()))


def named(signs: Iterable[str]) -> str:
    """Characters for a sentence: each with its code point, by which it is found even if no screen shows it."""
    return "、".join(f"{sign if sign.isprintable() else ''}（U+{ord(sign):04X}）" for sign in signs)


def _turns(sign: str) -> bool:
    return unicodedata.bidirectional(sign) in TURNING


def _seen(sign: str) -> bool:
    return unicodedata.category(sign) not in UNSEEN and not any(ord(sign) in chosen for chosen in SELECTORS)


@cache
def _drawn() -> frozenset[int]:
    """Every code point that a font family named by the style sheet has, as fontconfig tells."""
    points: set[int] = set()
    for family in sorted(set(re.findall(r'"([^"]+)"', STYLE.read_text(encoding="utf-8")))):
        command = ["fc-match", "--format=%{family}\n%{charset}", family]
        names, charset = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
        if family in names.split(","):  # another family is only what fontconfig would put in its place
            for span in charset.split():
                first, _, last = span.partition("-")
                points.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(points)
