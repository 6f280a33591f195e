"""The search index for any part of 商品名称: made, kept in step and checked by the database itself.

SQLite: an FTS5 table of the characters and pairs of characters of `title_key`. They are written in hexadecimal, so that
neither a tokenizer nor FTS5's query syntax has a say; beside them stand the scopes that may see the row (`token`).
PostgreSQL: one GIN index of characters and pairs, for one or two characters, and one of trigrams, for three and more.
The parts are removed before every upgrade and installed after it, like the triggers (migrations/env.py).
"""

from sqlalchemy import Connection, text

PREFIX = "search"  # of every table, index and trigger made here; Alembic leaves them alone
TRIGGERS = ("search_insert", "search_update", "search_delete")
SCOPES = {"owner_id": "O", "desk": "D", "issued": "I"}  # column → the letter its tokens begin with; none is a hex pair
GRAMS = """(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < length({row}.title_key))
  SELECT group_concat(hex(substr({row}.title_key, i, 1))
    || CASE WHEN i < length({row}.title_key) THEN ' ' || hex(substr({row}.title_key, i, 2)) ELSE '' END, ' ') FROM c)"""
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """CREATE OR REPLACE FUNCTION search_grams(words text) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT array(
    SELECT substr(words, i, 1) FROM generate_series(1, length(words)) i
    UNION SELECT substr(words, i, 2) FROM generate_series(1, length(words) - 1) i) $$""",
    "CREATE INDEX IF NOT EXISTS search_grams ON application USING gin (search_grams(title_key))",
    "CREATE INDEX IF NOT EXISTS search_trigrams ON application USING gin (title_key gin_trgm_ops)",
)


def token(column: str, value: object) -> str:
    """What the index holds for a row whose scope column has this value: `D320000`."""
    return f"{SCOPES[column]}{value}"


def match(words: str, scopes: tuple[str, ...] = ()) -> str:
    """The FTS5 query for rows with all pairs of `words` (its one character, if it has no more), within all `scopes`."""
    pairs = [words[i : i + 2] for i in range(len(words) - 1)] or [words]
    return " AND ".join((*scopes, *dict.fromkeys(pair.encode().hex() for pair in pairs)))


def install(connection: Connection, changed: bool = True) -> None:
    """Make what is missing. `changed`: titles may have been written without the triggers, so the index is made anew."""
    if not _has_titles(connection):
        _drop_index(connection)
    elif connection.dialect.name == "postgresql":
        for statement in POSTGRESQL:
            connection.execute(text(statement))
    else:
        new = not connection.dialect.has_table(connection, "search")
        for statement in _sqlite():
            connection.execute(text(statement))
        if new or changed:
            rebuild(connection)


def remove(connection: Connection) -> None:
    """Take down what names the table `application`: SQLite cannot alter a table that a view names."""
    if connection.dialect.name == "sqlite":
        for name in TRIGGERS:
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        connection.execute(text("DROP VIEW IF EXISTS search_source"))


def rebuild(connection: Connection) -> None:
    """Make the index anew from the titles: about half a minute for a million."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO search(search) VALUES ('rebuild')"))
    else:
        for name in ("search_grams", "search_trigrams"):
            connection.execute(text(f"REINDEX INDEX {name}"))


def check(connection: Connection) -> None:
    """Compare the index with the titles; raises sqlalchemy.exc.DatabaseError where they differ (SQLite alone)."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO search(search, rank) VALUES ('integrity-check', 1)"))


def _has_titles(connection: Connection) -> bool:
    has_table = connection.dialect.has_table(connection, "application")
    return has_table and any(
        column["name"] == "issued" for column in connection.dialect.get_columns(connection, "application")
    )


def _drop_index(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TABLE IF EXISTS search"))


def _content(row: str) -> str:
    scopes = " || ".join(f"coalesce(' {letter}' || {row}.{column}, '')" for column, letter in SCOPES.items())
    return f"{GRAMS.format(row=row)} || {scopes}"


def _sqlite() -> list[str]:
    """The table, the view that it is made from, and the triggers that keep it in step."""
    add = f"INSERT INTO search(rowid, grams) VALUES (new.id, {_content('new')});"
    take = f"INSERT INTO search(search, rowid, grams) VALUES ('delete', old.id, {_content('old')});"
    differs = " OR ".join(f"new.{column} IS NOT old.{column}" for column in ("title_key", *SCOPES))
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
