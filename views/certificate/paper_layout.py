"""How the certificate is laid out for what it holds: lines of the form, widths of columns, rows that may be broken.

Widths are millimetres; an em is the width of a Chinese character. They are estimates for Noto Serif, on the safe side.
"""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

Line = tuple[str, ...]
Carriers = list[dict[str, str]]
Widths = dict[str, float]

HALF_LINE = 33  # ems that fill three lines of half the form
LAST_ROWS, LAST_LINES = 5, 15  # that go along, at most, when the close moves to another page
MOST_COLUMNS = 7  # with more they are set smaller
TABLE = 156.0  # width of the type area
EM = {False: 3.175, True: 2.822}  # of 9 and 8 points; True: set smaller
PADDING = {False: 2.4, True: 1.6}  # left and right of a cell together, its line included
SHORT = 20.0  # a text that takes no more is not broken where all columns find room so
LONGEST = 36.0  # what is asked for a number or word at most: none that people write is longer
TALL = 25  # lines; a row of more may be broken between two pages, or it would leave half a page empty
UNBROKEN = re.compile(r"[!-~]*?[/\-_:;+&|·]+|[!-~]+|.", re.DOTALL)  # as paper_text.py breaks codes


def ems(text: str) -> float:
    """How much room a text takes in a line."""
    return sum(1.0 if sign > "\u2e7f" else 0.57 if not sign.isupper() else 0.75 for sign in text)


def form_lines(lines: tuple[Line, ...], texts: dict[str, str]) -> Iterator[Line]:
    """The lines of a part of the form; a long field has one of its own, for half a line would break it too often."""
    for line in lines:
        if any(ems(texts[name]) > HALF_LINE for name in line):
            yield from ((name,) for name in line)
        else:
            yield line


def widths(carriers: Carriers, columns: dict[str, str], wide: bool) -> Widths:
    """Of every column: room for its heading, its longest number and short texts; the rest goes to the long ones."""
    whole, least = {}, {}
    for name, heading in columns.items():
        texts = {heading, *(row.get(name, "—") for row in carriers)}
        whole[name] = max(_room(text, wide) for text in texts)
        pieces = {piece for text in texts for piece in UNBROKEN.findall(text)}
        number = min(max(_room(piece, wide) for piece in pieces), LONGEST)
        least[name] = max(_room(heading, wide), number)
    short = {name: max(width, whole[name] if whole[name] <= SHORT else 0.0) for name, width in least.items()}
    return _spread(short if sum(short.values()) <= TABLE else least, whole)


def _room(text: str, wide: bool) -> float:
    return ems(text) * EM[wide] + PADDING[wide]


def _spread(least: Widths, whole: Widths) -> Widths:
    """The widths of the table: what is left goes to the columns in proportion to what their longest text lacks."""
    left = TABLE - sum(least.values())
    if left < 0:
        return {name: round(width * TABLE / sum(least.values()), 2) for name, width in least.items()}
    lacking = {name: max(whole[name] - width, 0.0) for name, width in least.items()}
    if sum(lacking.values()) <= left:  # every text has a line to itself
        lacking["specification"] += left - sum(lacking.values())
    share = left / sum(lacking.values())
    return {name: round(width + lacking[name] * share, 2) for name, width in least.items()}


def lines_of(row: dict[str, str], found: Widths, wide: bool) -> int:
    """How many lines a row takes."""
    return max(ceil(ems(row.get(name, "—")) * EM[wide] / (width - PADDING[wide])) for name, width in found.items())


def rows_with_the_close(lines: list[int]) -> int:
    """How many of the last rows stand on the page of the close: a few, and no tall one, which cannot go along whole."""
    count = total = 0
    for taken in reversed(lines[-LAST_ROWS:]):
        total += taken
        if taken > TALL or (count and total > LAST_LINES):
            break
        count += 1
    return count


def layout(carriers: Carriers, columns: dict[str, str]) -> dict[str, Any]:
    """What the template is told of the table of carriers; `whole`: all rows go with the close, with their head."""
    wide = len(columns) > MOST_COLUMNS
    found = widths(carriers, columns, wide)
    lines = [lines_of(row, found, wide) for row in carriers]
    last, tall = rows_with_the_close(lines), [taken > TALL for taken in lines]
    return {"wide": wide, "widths": found, "tall": tall, "last_rows": last, "whole": last == len(carriers)}
