"""Marks commands and settings in a sentence as code, in which no line breaks inside a word: --keep stays whole.

Dates are not broken either.
"""

import re
from typing import Any

from markupsafe import Markup, escape

GROUPS = "account|attachments|certificate|customs|database|mail|search|statistics|trail"
VALUE = r"=[\w.:/-]*[\w/]"  # without the full stop of its sentence
OPTION = rf"--[a-z][a-z-]*(?:[ =][a-z]+=[a-z0-9=,]+|{VALUE}| \d+)?"
COMMAND = re.compile(
    rf"\.venv/bin/flask --app app\b"
    rf"|\bfiling (?:(?:{GROUPS}) )?[a-z][a-z-]*(?: {OPTION})*|\b(?:{GROUPS}) [a-z-]+(?: {OPTION})+|{OPTION}"
    rf"|\b(?:FILING|AWS|LC)_[A-Z_]+[a-z]*(?:{VALUE})?"
)
DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
LONG = 30  # letters of a word that may be broken


def marked(words: Any) -> Markup:
    """The sentence as HTML."""
    text, out, end = str(words), Markup(), 0
    for found in COMMAND.finditer(text):
        out += dated(text[end : found.start()]) + code(found[0])
        end = found.end()
    return out + dated(text[end:])


def dated(words: Any) -> Markup:
    """The text as HTML in which no date is broken at its hyphens; for text with paths, which are no commands."""
    parts = DATE.split(str(words))
    dates = [Markup('<span class="date">{}</span>').format(found) for found in DATE.findall(str(words))]
    return Markup().join(part for pair in zip(map(escape, parts), [*dates, ""], strict=True) for part in pair)


def code(words: str) -> Markup:
    """A command as HTML: lines break only between its words, and copied text is the command unchanged."""
    parts = (
        Markup('<span class="long">{}</span>' if len(word) > LONG else "<span>{}</span>").format(word)
        for word in words.split(" ")
    )
    return Markup("<code>{}</code>").format(Markup(" ").join(parts))
