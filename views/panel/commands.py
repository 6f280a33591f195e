"""Commands and settings in a sentence, marked as code whose words stay whole: an option is not broken at its dashes.

Dates stay whole, too.
"""

import re
from typing import Any

from markupsafe import Markup, escape

GROUPS = "account|attachments|certificate|customs|database|mail|search|statistics|trail"
OPTION = r"--[a-z][a-z-]*(?:[ =][a-z]+=[a-z0-9=,]+|=[\w.:/-]+)?"
COMMAND = re.compile(
    rf"\bfiling (?:(?:{GROUPS}) )?[a-z][a-z-]*(?: {OPTION})*|\b(?:{GROUPS}) [a-z-]+(?: {OPTION})+|{OPTION}"
    r"|\bFILING_[A-Z_]+[a-z]*(?:=[\w.:/-]+)?"
    r"|\b\d{4}-\d\d-\d\d\b"
)
LONG = 30  # letters of a word that may be broken


def marked(words: Any) -> Markup:
    """The sentence as HTML."""
    text, out, end = str(words), Markup(), 0
    for found in COMMAND.finditer(text):
        out += escape(text[end : found.start()]) + (date(found[0]) if found[0][0].isdigit() else code(found[0]))
        end = found.end()
    return out + escape(text[end:])


def code(words: str) -> Markup:
    """A command, broken between its words alone; copied, it is what was written."""
    parts = (
        Markup('<span class="long">{}</span>' if len(word) > LONG else "<span>{}</span>").format(word)
        for word in words.split(" ")
    )
    return Markup("<code>{}</code>").format(Markup(" ").join(parts))


def date(words: str) -> Markup:
    """A date that is not broken at its hyphens."""
    return Markup('<span class="date">{}</span>').format(words)
