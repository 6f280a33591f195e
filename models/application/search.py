"""Search in 商品名称 and 出版单位: any part, from one character up, several words in any order."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, column, false, func, select, table, true
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session

from models.application import Application
from models.database import is_sqlite, publisher_names, search
from models.text import search_key

MOST_WORDS, LONGEST = 5, 100
INDEX = table("search", column("rowid"), column("search"))  # SQLite's (models/database/search.py)
NAMES = table(publisher_names.TABLE, column("name"), column("sort"))


@dataclass(frozen=True)
class Published:
    """`names` of 出版单位 that contain every word, none if no word was typed; `condition`: applications with one."""

    names: tuple[str, ...]
    condition: ColumnElement[bool]

    @property
    def tokens(self) -> tuple[str, ...]:
        """What finds the same applications in the search index; none where there are no names or too many."""
        return search.publishers(self.names)


@dataclass(frozen=True)
class Narrowed:
    """What is known about a search besides its words; it makes the search faster and changes no result.

    For SQLite's search index, `tokens`: of models.database.search, which all rows have in common; `newest`: limit on
    the newest rows, given if the tokens cover every other condition. For PostgreSQL, `many`: so many rows are found
    that reading in the order of the list may meet those of a page sooner than the index of titles. `published`: checked
    with the title, or, without, in its own index.
    """

    tokens: tuple[str, ...] = ()
    newest: int | None = None
    published: Published = Published((), true())
    many: bool = False


def containing(session: Session, words: str, narrowed: Narrowed = Narrowed()) -> ColumnElement[bool]:
    """Applications whose title contains every word; width, case and invisible characters do not count."""
    wanted, published = _words(words), narrowed.published
    if not is_sqlite(session):
        return and_(true(), *(_on_postgresql(word, narrowed.many) for word in wanted), published.condition)
    return _on_sqlite(wanted, narrowed) if wanted else published.condition


def published_by(session: Session, words: str) -> Published:
    """Applications whose publisher's name, as stored in the application, contains every word."""
    wanted = _words(words)
    if not wanted:
        return Published((), true())
    names = session.connection().execute(select(NAMES.c.name, NAMES.c.sort)).all()
    found = {name: sort for name, sort in names if all(word in search_key(name) for word in wanted)}
    if not found:
        return Published((), false())
    if len(found) == len(names):
        return Published(tuple(found), Application.publisher_sort.is_not(None))
    keys = set(found.values())
    by_key = Application.publisher_sort.in_(sorted(keys))
    # Names that differ only in accents, or beyond the end of the key.
    alike = any(sort in keys and name not in found for name, sort in names)
    condition = and_(by_key, Application.publisher_name.in_(sorted(found))) if alike else by_key
    return Published(tuple(found), condition)


def count_in_index(session: Session, words: str, narrowed: Narrowed) -> int | None:
    """How many rows containing() finds, `narrowed.newest` at most, from SQLite's search index alone.

    None: the index alone cannot decide it (PostgreSQL, a word of three characters or more, no token of the scope).
    Reads no application: 10,000 of them are half of the time of a list.
    """
    wanted = _words(words)
    exact = wanted and narrowed.tokens and narrowed.newest and all(len(word) < 3 for word in wanted)
    if not exact or not is_sqlite(session):
        return None
    rows = _indexed(wanted, narrowed).limit(narrowed.newest).subquery()
    return session.connection().scalar(select(func.count()).select_from(rows)) or 0


def _words(typed: str) -> list[str]:
    return search_key(typed)[:LONGEST].split()[:MOST_WORDS]


def _on_sqlite(words: list[str], narrowed: Narrowed) -> ColumnElement[bool]:
    """Long words are also searched as a whole: 音乐音 has all pairs of 乐音乐, but in another order."""
    long = [func.instr(Application.title_key, word) > 0 for word in words if len(word) > 2]
    published, rows = narrowed.published, _indexed(words, narrowed)
    if narrowed.newest and not long:
        rows = rows.order_by(INDEX.c.rowid.desc()).limit(narrowed.newest)
    # Beside its tokens SQLite would look up each row for each name in the index of publishers.
    return and_(Application.id.in_(rows), *long, *([] if published.tokens else [published.condition]))


def _indexed(words: list[str], narrowed: Narrowed) -> Select[Any]:
    """The rows of SQLite's search index with all pairs of the words, and all tokens."""
    query = search.match(words, (*narrowed.tokens, *narrowed.published.tokens))
    return select(INDEX.c.rowid).where(INDEX.c.search.op("MATCH")(query))


def _on_postgresql(word: str, many: bool) -> ColumnElement[bool]:
    """Trigrams know no word of less than three characters; characters and pairs are slow for longer ones.

    Row by row the characters and pairs would have to be computed, which takes a hundred times as long as a look: with
    `many` rows the look comes first, and the planner chooses whether to use the index at all.
    """
    if len(word) > 2:
        return Application.title_key.contains(word, autoescape=True)
    indexed = func.search_grams(Application.title_key).op("@>")(cast(array([word]), ARRAY(Text)))
    return and_(func.strpos(Application.title_key, word) > 0, indexed) if many else indexed
