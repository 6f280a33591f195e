"""Substring search index of 商品名称 and 出版单位, maintained by the database itself.

SQLite: an FTS5 table of the characters and bigrams of `title_key`, in hexadecimal, which protects them from tokenizer
and query syntax, and of the scopes that may see the row, its status, province, month and publisher (`token`), so that
the index itself narrows a common word. PostgreSQL: a GIN index of characters and bigrams, for one or two characters,
and one of trigrams, for three and more. 出版单位: publisher_names.py. Triggers and view are removed before every
upgrade and installed after it (migrations/env.py).
"""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DatabaseError

from models.database import publisher_names

PREFIX = "search"  # of every table, index and trigger created here; Alembic ignores them
TRIGGERS = ("search_insert", "search_update", "search_delete")
# Column → the letter its tokens begin with; none is a hexadecimal digit.
LETTERS = {
    "owner_id": "O", "desk": "T", "issued": "I", "status_order": "S", "province": "P", "applied_on": "M",
    "publisher_name": "N",
}  # fmt: skip
MOST = 60  # values of one column that are searched one by one
GRAMS = """(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < length({row}.title_key))
  SELECT group_concat(hex(substr({row}.title_key, i, 1))
    || CASE WHEN i < length({row}.title_key) THEN ' ' || hex(substr({row}.title_key, i, 2)) ELSE '' END, ' ') FROM c)"""
FILL = "INSERT INTO search(search) VALUES ('rebuild')"
FUNCTION = """CREATE FUNCTION search_grams(words text) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT array(
    SELECT substr(words, i, 1) FROM generate_series(1, length(words)) i
    UNION SELECT substr(words, i, 2) FROM generate_series(1, length(words) - 1) i) $$"""
INDEXES = (
    "CREATE INDEX IF NOT EXISTS search_grams ON application USING gin (search_grams(title_key))",
    "CREATE INDEX IF NOT EXISTS search_trigrams ON application USING gin (title_key gin_trgm_ops)",
)


def token(column: str, value: object) -> str:
    """The FTS5 term of a column with this value: `T320000`."""
    return f"{LETTERS[column]}{value}"


def months(since: date | None, until: date | None) -> tuple[str, ...]:
    """The months of a range of 申请日期 as one FTS5 term; none if the range is open or longer than MOST."""
    if since is None or until is None:
        return ()
    first, last = since.year * 12 + since.month - 1, until.year * 12 + until.month - 1
    if not 0 <= last - first < MOST:
        return ()
    return _any_of([token("applied_on", f"{month // 12:04d}{month % 12 + 1:02d}") for month in range(first, last + 1)])


def publishers(names: Collection[str]) -> tuple[str, ...]:
    """One of these names of 出版单位 as one FTS5 term; none where there are no names or too many."""
    if not 0 < len(names) <= MOST:
        return ()
    return _any_of([token("publisher_name", name.encode().hex()) for name in sorted(names)])


def _any_of(tokens: list[str]) -> tuple[str]:
    return (f"({' OR '.join(tokens)})",)


def match(words: list[str], tokens: tuple[str, ...] = ()) -> str:
    """The FTS5 query for rows with all bigrams of each word (or its only character) and all `tokens`."""
    pairs = [pair for word in words for pair in [word[i : i + 2] for i in range(len(word) - 1)] or [word]]
    return " AND ".join((*tokens, *dict.fromkeys(pair.encode().hex() for pair in pairs)))


def install(connection: Connection, changed: bool = True) -> None:
    """Create the missing parts. `changed`: titles may have been written without the triggers, so rebuild the index."""
    if not _has_columns(connection):
        _drop_index(connection)
        return
    publisher_names.install(connection, changed)
    if connection.dialect.name == "postgresql":
        create_requirements(connection)
        for statement in INDEXES:
            connection.execute(text(statement))
    else:
        new = not connection.dialect.has_table(connection, "search")
        for statement in _sqlite():
            connection.execute(text(statement))
        if new or changed:
            connection.execute(text(FILL))


def create_requirements(connection: Connection) -> None:
    """Create what the indexes of PostgreSQL use, if it is missing. The caller commits.

    A present function is not replaced: it would lose LEAKPROOF, which only a superuser may set.
    """
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    if connection.scalar(select(func.to_regprocedure("search_grams(text)"))) is None:
        connection.execute(text(FUNCTION))


def remove(connection: Connection, everything: bool = False) -> None:
    """Drop triggers and view: SQLite cannot alter a table that a view refers to.

    `everything`: also the index, so that a bulk load need not maintain it.
    """
    if connection.dialect.has_table(connection, "application"):
        publisher_names.remove(connection)
    if connection.dialect.name == "sqlite":
        for name in TRIGGERS:
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        connection.execute(text("DROP VIEW IF EXISTS search_source"))
        if everything:
            connection.execute(text("DROP TABLE IF EXISTS search"))
    elif everything:
        for name in ("search_grams", "search_trigrams"):
            connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def rebuild(connection: Connection) -> None:
    """Rebuild the index from the names: about half a minute for a million. The caller commits."""
    publisher_names.rebuild(connection)
    if connection.dialect.name == "sqlite":
        connection.execute(text(FILL))
    else:
        for name in ("search_grams", "search_trigrams"):
            connection.execute(text(f"REINDEX INDEX {name}"))


def check(connection: Connection) -> bool:
    """Whether the index agrees with the applications; PostgreSQL keeps its own indexes in step."""
    try:
        if connection.dialect.name == "sqlite":
            connection.execute(text("INSERT INTO search(search, rank) VALUES ('integrity-check', 1)"))
    except DatabaseError:
        return False
    return publisher_names.check(connection)


def _has_columns(connection: Connection) -> bool:
    """Whether the columns that the index reads exist, of which `status_order` was added last."""
    has_table = connection.dialect.has_table(connection, "application")
    return has_table and any(
        column["name"] == "status_order" for column in connection.dialect.get_columns(connection, "application")
    )


def _drop_index(connection: Connection) -> None:
    publisher_names.drop(connection)
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TABLE IF EXISTS search"))


def _content(row: str) -> str:
    values = {column: f"{row}.{column}" for column in LETTERS}
    values["publisher_name"] = f"nullif(hex({row}.publisher_name), '')"
    values["applied_on"] = f"replace(substr({row}.applied_on, 1, 7), '-', '')"
    tokens = " || ".join(f"coalesce(' {LETTERS[column]}' || {value}, '')" for column, value in values.items())
    return f"{GRAMS.format(row=row)} || {tokens}"


def _sqlite() -> list[str]:
    """The table, the view that it is built from, and the triggers that keep it up to date."""
    add = f"INSERT INTO search(rowid, grams) VALUES (new.id, {_content('new')});"
    take = f"INSERT INTO search(search, rowid, grams) VALUES ('delete', old.id, {_content('old')});"
    differs = " OR ".join(f"new.{column} IS NOT old.{column}" for column in ("title_key", *LETTERS))
    return [
        """CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(
  grams, content='search_source', content_rowid='id', detail=none, columnsize=0, tokenize='ascii')""",
        "DROP VIEW IF EXISTS search_source",
        f"CREATE VIEW search_source AS SELECT a.id AS id, {_content('a')} AS grams FROM application a",
        *(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS),
        f"CREATE TRIGGER search_insert AFTER INSERT ON application BEGIN {add} END",
        f"CREATE TRIGGER search_update AFTER UPDATE ON application WHEN {differs} BEGIN {take} {add} END",
        f"CREATE TRIGGER search_delete AFTER DELETE ON application BEGIN {take} END",
    ]
