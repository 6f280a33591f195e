"""Layout of the certificate by its content: lines of the form, widths of columns, rows that may break between pages.

Widths are millimetres; an em is the width of a Chinese character. They are cautious estimates for Noto Serif.
"""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

Line = tuple[str, ...]
Carriers = list[dict[str, str]]
Widths = dict[str, float]

HALF_LINE = 33  # ems that fill three lines of half the form
LAST_ROWS, LAST_LINES = 5, 15  # at most, that move with the closing section to another page
MOST_COLUMNS = 7  # with more, a smaller type size is used
TABLE = 156.0  # width of the type area
EM = {False: 3.175, True: 2.822}  # of 9 and 8 points; key: whether the smaller size is used
PADDING = {False: 2.4, True: 1.6}  # left and right of a cell together, with its border
SHORT = 20.0  # a text up to this width is not broken, if all columns fit
LONGEST = 36.0  # upper limit of the width reserved for an unbroken number or word
TALL = 25  # lines; a taller row may break between pages, or it would leave half a page empty
UNBROKEN = re.compile(r"[!-~]*?[/\-_:;+&|·]+|[!-~]+|.", re.DOTALL)  # as paper_text.py breaks codes


def ems(text: str) -> float:
    """Width of a text in ems."""
    return sum(1.0 if sign > "\u2e7f" else 0.57 if not sign.isupper() else 0.75 for sign in text)


def form_lines(lines: tuple[Line, ...], texts: dict[str, str]) -> Iterator[Line]:
    """The lines of a part of the form; a long field gets a line of its own."""
    for line in lines:
        if any(ems(texts[name]) > HALF_LINE for name in line):
            yield from ((name,) for name in line)
        else:
            yield line


def widths(carriers: Carriers, columns: dict[str, str], wide: bool) -> Widths:
    """Width of every column: heading, longest number and short texts fit; the rest goes to columns of long texts."""
    whole, least = {}, {}
    for name, heading in columns.items():
        texts = {heading, *(row.get(name, "—") for row in carriers)}
        whole[name] = max(_width(text, wide) for text in texts)
        pieces = {piece for text in texts for piece in UNBROKEN.findall(text)}
        number = min(max(_width(piece, wide) for piece in pieces), LONGEST)
        least[name] = max(_width(heading, wide), number)
    short = {name: max(width, whole[name] if whole[name] <= SHORT else 0.0) for name, width in least.items()}
    return _spread(short if sum(short.values()) <= TABLE else least, whole)


def _width(text: str, wide: bool) -> float:
    return ems(text) * EM[wide] + PADDING[wide]


def _spread(least: Widths, whole: Widths) -> Widths:
    """`least` widths, with the rest of the table distributed in proportion to what the longest texts lack."""
    left = TABLE - sum(least.values())
    if left < 0:
        return {name: round(width * TABLE / sum(least.values()), 2) for name, width in least.items()}
    lacking = {name: max(whole[name] - width, 0.0) for name, width in least.items()}
    if sum(lacking.values()) <= left:  # every text has a line to itself
        lacking["specification"] += left - sum(lacking.values())
    share = left / sum(lacking.values())
    return {name: round(width + lacking[name] * share, 2) for name, width in least.items()}


def lines_of(row: dict[str, str], found: Widths, wide: bool) -> int:
    """Number of lines of a row."""
    return max(ceil(ems(row.get(name, "—")) * EM[wide] / (width - PADDING[wide])) for name, width in found.items())


def rows_with_the_close(lines: list[int]) -> int:
    """How many of the last rows move with the closing section: the last one unless it is TALL, then as limits allow."""
    count = total = 0
    for height in reversed(lines[-LAST_ROWS:]):
        total += height
        if height > TALL or (count and total > LAST_LINES):
            break
        count += 1
    return count


def layout(carriers: Carriers, columns: dict[str, str]) -> dict[str, Any]:
    """Layout of the table of carriers for the template; `whole`: all rows move with the closing section."""
    wide = len(columns) > MOST_COLUMNS
    found = widths(carriers, columns, wide)
    lines = [lines_of(row, found, wide) for row in carriers]
    last, tall = rows_with_the_close(lines), [height > TALL for height in lines]
    return {"wide": wide, "widths": found, "tall": tall, "last_rows": last, "whole": last == len(carriers)}
