"""What is asked of 商品名称: any part of it, from one character up, several words in any order."""

from sqlalchemy import ColumnElement, Text, and_, cast, column, func, select, table, true
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session

from models.application import Application
from models.database import search
from models.text import search_key

MOST_WORDS, LONGEST = 5, 100
INDEX = table("search", column("rowid"), column("search"))  # SQLite's (models/database/search.py)


def containing(session: Session, words: str, scopes: tuple[str, ...] = ()) -> ColumnElement[bool]:
    """Applications whose title has every word somewhere; width, case and unseen characters do not count.

    `scopes`: tokens of models.database.search that all rows to be found have; they only make it faster.
    """
    wanted = search_key(words)[:LONGEST].split()[:MOST_WORDS]
    if session.get_bind().dialect.name == "postgresql":
        return and_(true(), *map(_on_postgresql, wanted))
    return and_(true(), *(_on_sqlite(word, scopes) for word in wanted))


def _on_sqlite(word: str, scopes: tuple[str, ...]) -> ColumnElement[bool]:
    """A title that has all pairs of a long word need not have them in order: 音乐音 has those of 乐音乐."""
    rows = select(INDEX.c.rowid).where(INDEX.c.search.op("MATCH")(search.match(word, scopes)))
    indexed = Application.id.in_(rows)
    return indexed if len(word) < 3 else and_(indexed, func.instr(Application.title_key, word) > 0)


def _on_postgresql(word: str) -> ColumnElement[bool]:
    """Trigrams know no word of less than three characters; characters and pairs are slow for longer ones."""
    if len(word) < 3:
        return func.search_grams(Application.title_key).op("@>")(cast(array([word]), ARRAY(Text)))
    return Application.title_key.contains(word, autoescape=True)
