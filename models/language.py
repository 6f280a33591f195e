"""Stored, signed, sent and printed text is Chinese, also when the screens of the user are English."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask_babel import force_locale, get_locale

CHINESE = "zh_Hans_CN"


@contextmanager
def in_chinese() -> Iterator[None]:
    """Translate to Chinese inside the block, also in a request whose screens are English."""
    with force_locale(CHINESE):
        yield


def recorded(words: Any) -> str:
    """The Chinese text of a lazy sentence, for storing; a plain string is returned unchanged."""
    with in_chinese():
        return str(words)


def in_each_language(words: Any) -> tuple[str, ...]:
    """A lazy sentence in Chinese and in English."""
    found = []
    for locale in (CHINESE, "en"):
        with force_locale(locale):
            found.append(str(words))
    return tuple(found)


def is_english() -> bool:
    """Whether the screens of this request are English; False outside requests (terminal, workers)."""
    locale = get_locale()
    return locale is not None and locale.language == "en"


def listed(words: Iterable[Any]) -> str:
    """一、二; one, two."""
    return (", " if is_english() else "、").join(map(str, words))


def in_clauses(words: Iterable[Any]) -> str:
    """一；二; one; two."""
    return ("; " if is_english() else "；").join(map(str, words))


def in_sentences(words: Iterable[Any]) -> str:
    """Sentences joined to one text."""
    return (" " if is_english() else "").join(map(str, words))


def in_capitals(words: str) -> str:
    """In English the text with a capital at its beginning, and at that of each clause of in_clauses()."""
    return CLAUSE.sub(lambda first: first[0].upper(), words) if is_english() else words


CLAUSE = re.compile(r"(?:^|(?<=; ))[a-z](?![\w.-]*[/:=@])")  # no address, path or setting
STRAY = re.compile(r"(?<=[㐀-鿿〈-】）”]) (?=[㐀-鿿〈-】（“])")


def closed_up(words: str) -> str:
    """Remove the blanks between Chinese characters that a sentence has around a number, if words stand in its place."""
    return STRAY.sub("", words)


def html_lang() -> str:
    """The value of <html lang>."""
    return "en" if is_english() else "zh-CN"
