"""The texts of a page, and which of them are data: to find texts in the wrong language."""

import html
import re
from html.parser import HTMLParser

from flask import Flask
from sqlalchemy import JSON, String, select

from models.customs import CustomsNote
from models.database import Base, db
from models.log import LogEntry
from models.notifications import Notification

CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
SPOKEN = {
    "alt",
    "aria-label",
    "placeholder",
    "title",
    "label",
}  # attributes; and every data-…, but what options are found by
SENTENCES = {  # of the system: read in both languages
    LogEntry.__table__.c.words, CustomsNote.__table__.c.words, Notification.__table__.c.detail,
}  # fmt: skip
UNSPOKEN = {"script", "style"}
EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class WordReader(HTMLParser):
    """Every visible text and every attribute that is read out, except elements with a language of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent: list[str] = []  # open elements, from the one that is not read

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if self.silent or tag in UNSPOKEN or ("lang" in given and tag != "html"):
            self.silent += [tag] if tag not in EMPTY else []
            return
        self.words += [
            text for name, text in given.items() if name in SPOKEN or (name.startswith("data-") and name != "data-keys")
        ]
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.words.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag in self.silent:
            while self.silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def words_of(page: str) -> list[str]:
    reader = WordReader()
    reader.feed(page)
    return [words for each in reader.words if (words := html.unescape(each).strip())]


def data_in(app: Flask) -> list[str]:
    """Every Chinese text in the database that people have entered, the longest first."""
    found: set[str] = set()
    with app.app_context(), db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for column in set(table.columns) - SENTENCES:
                if isinstance(column.type.dialect_impl(connection.dialect), String | JSON):
                    for value in connection.execute(select(column).distinct()).scalars():
                        found |= set(texts_in(value))
    return sorted((text for text in found if CHINESE.search(text)), key=len, reverse=True)


def texts_in(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for each in value for text in texts_in(each)]
    return [line.strip() for line in value.splitlines()] if isinstance(value, str) else []


def chinese_in(page: str, data: list[str]) -> list[str]:
    """The Chinese words of a page, except data."""
    found = []
    for words in words_of(page):
        rest = words
        for text in data:
            rest = rest.replace(text, "")
        if CHINESE.search(rest):
            found.append(words)
    return found
