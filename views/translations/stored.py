"""Stored Chinese sentences of the system (log, notes on customs messages) in the language of the reader.

Never for what people have written: only for columns that the system fills. A sentence is found in the catalogue as a
whole, as a sentence with values in it, or piece by piece; what is not found stays as it is stored.
"""

import re
from functools import lru_cache
from typing import Any

from flask import Flask, current_app

from models.language import is_english

CACHED = 2000  # translated sentences
LEAST = 4  # Chinese characters that a sentence with values in it must have besides these, except:
SHORT = frozenset({"%(publisher)s委托%(agent)s，%(since)s 至 %(until)s"})  # models/notifications/entrustments.py
SEPARATORS = {"，": ", ", "；": "; ", "：": ": ", " ": " "}
PIECES = re.compile(f"([{''.join(SEPARATORS)}])")
VALUE = re.compile(r"%\((\w+)\)s")
CHINESE = re.compile("[\u4e00-\u9fff]")
CONTEXT = "\x04"  # between the context and the sentence in a key of the catalogue


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(in_readers_language=in_readers_language, actor_of=actor_of)


def in_readers_language(stored: str) -> str:
    """A stored sentence of the system, for the reader of this request."""
    if not stored or not is_english():
        return stored
    return _translated(stored)


def actor_of(entry: Any) -> str:
    """The name on an entry of a trail: a person's as it is, that of customs in the language of the reader."""
    return str(entry.actor_name if entry.actor_id else in_readers_language(entry.actor_name))


@lru_cache(CACHED)
def _translated(stored: str) -> str:
    catalogue = _catalogue()
    return catalogue.get(stored) or _with_values(stored) or _by_pieces(stored)


def _with_values(stored: str) -> str | None:
    """The translation by the sentence of the catalogue, with placeholders, that it matches; None without a match."""
    for pattern, english in _patterns():
        if found := pattern.fullmatch(stored):
            values = {name: _catalogue().get(value, value) for name, value in found.groupdict().items()}
            return english % values
    return None


def _by_pieces(stored: str) -> str:
    """Translate every piece that is in the catalogue, and its punctuation; unchanged if none is."""
    pieces = PIECES.split(stored)
    found = [_listed(piece) for piece in pieces]
    if not any(found):
        return stored
    return "".join(new or SEPARATORS.get(piece, piece) for piece, new in zip(pieces, found, strict=True)).strip()


def _listed(piece: str) -> str | None:
    """The translation of one word, or of words with 、 between them; None unless each is in the catalogue."""
    if whole := _catalogue().get(piece):
        return whole
    english = [_catalogue().get(word) for word in piece.split("、")]
    return ", ".join(filter(None, english)) if all(english) else None


@lru_cache(1)
def _catalogue() -> dict[str, str]:
    """Chinese → English, without the messages that have a context (pgettext)."""
    entries: dict[Any, str] = current_app.extensions["babel"].instance.catalogue.english._catalog
    return {key: text for key, text in entries.items() if isinstance(key, str) and key and CONTEXT not in key}


@lru_cache(1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """(pattern, English) of each sentence with values in it, those with the most words first."""
    found = []
    for chinese, english in _catalogue().items():
        words = len(CHINESE.findall(VALUE.sub("", chinese)))
        names = VALUE.findall(chinese)
        if names and (words >= LEAST or chinese in SHORT) and len(set(names)) == len(names):
            found.append((words, re.compile(_pattern(chinese), re.DOTALL), english))
    return [(pattern, english) for _words, pattern, english in sorted(found, key=lambda each: -each[0])]


def _pattern(chinese: str) -> str:
    parts = VALUE.split(chinese)  # text, name, text, name, text
    return "".join(f"(?P<{part}>.*?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
