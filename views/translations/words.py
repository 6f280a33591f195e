"""`make words`: extract every message from the sources into the catalogue, and list those without English."""

import re
from typing import Any

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from views.translations import CATALOGUE

ROOT = CATALOGUE.parents[4]
METHODS = [("models/**.py", "python"), ("views/**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS: Any = DEFAULT_KEYWORDS | {"_l": None, "_lp": ((1, "c"), 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|%%")
WIDE = 1 << 16  # characters: lines are never wrapped


def extracted() -> Catalog:
    """Every message of the sources, with the files that use it."""
    found = Catalog()
    for folder in ("models", "views", "templates"):
        rules = [(pattern.partition("/")[2] or pattern, how) for pattern, how in METHODS if pattern.startswith(folder)]
        for name, _line, words, _comments, context in extract_from_dir(ROOT / folder, rules, keywords=KEYWORDS):
            found.add(words, locations=[(f"{folder}/{name}", 0)], context=context)
    return found


def read_catalogue() -> Catalog:
    """The translations as stored in the repository."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def is_translated(message: Message) -> bool:
    """Whether the message has an English translation with the same placeholders."""
    english = str(message.string or "")
    return bool(english) and {*PLACEHOLDER.findall(english)} == {*PLACEHOLDER.findall(str(message.id))}


def update() -> list[Message]:
    """Rewrite the catalogue file from the sources; returns the messages without English."""
    words = read_catalogue()
    words.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    words.obsolete.clear()
    with CATALOGUE.open("wb") as file:
        write_po(file, words, width=WIDE, sort_output=True, omit_header=True, include_lineno=False)
    return [message for message in words if message.id and not is_translated(message)]


if __name__ == "__main__":
    missing = update()
    for message in missing:
        click.echo(f"{message.context or ''}{' ' if message.context else ''}{message.id}")
    click.echo(f"没有英文的：{len(missing)} 句，请写入 {CATALOGUE.relative_to(ROOT)}", err=True)
