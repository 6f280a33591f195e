"""A small table of every 出版单位 name in the applications with its sort key, maintained by triggers.

A search for a publisher looks for its words in these names (models/application/search.py), then for the sort keys in
the indexes of the applications. Former names stay, because applications store the name; unused names stay too.
"""

from sqlalchemy import Connection, text

from models.database.postgresql import PLPGSQL

TABLE = "search_publisher"
TRIGGERS = ("search_publisher_insert", "search_publisher_update")
EVENTS = ("INSERT", "UPDATE OF publisher_name, publisher_sort")
UPSERT = f"""INSERT INTO {TABLE} (name, sort) VALUES (new.publisher_name, new.publisher_sort)
  ON CONFLICT (name) DO UPDATE SET sort = excluded.sort WHERE {TABLE}.sort <> excluded.sort;"""
STORED = "SELECT DISTINCT publisher_name, publisher_sort FROM application WHERE publisher_sort IS NOT NULL"


def install(connection: Connection, changed: bool) -> None:
    """Create table and triggers; fill the table if it is new, or `changed`: rows were written without the triggers."""
    new = not connection.dialect.has_table(connection, TABLE)
    connection.execute(
        text(f"CREATE TABLE IF NOT EXISTS {TABLE} (name VARCHAR(100) PRIMARY KEY, sort VARCHAR(221) NOT NULL)")
    )
    remove(connection)
    for statement in _on_sqlite() if connection.dialect.name == "sqlite" else _on_postgresql():
        connection.execute(text(statement))
    if new or changed:
        rebuild(connection)


def remove(connection: Connection) -> None:
    """Drop the triggers."""
    on_table = "" if connection.dialect.name == "sqlite" else " ON application"
    for name in TRIGGERS:
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{on_table}"))


def drop(connection: Connection) -> None:
    """Drop the table."""
    connection.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))


def rebuild(connection: Connection) -> None:
    """Empty the table and fill it from the applications; the caller commits."""
    connection.execute(text(f"DELETE FROM {TABLE}"))
    connection.execute(text(f"INSERT INTO {TABLE} (name, sort) {STORED}"))


def check(connection: Connection) -> bool:
    """Whether the table has every name, with its key."""
    return connection.execute(text(f"{STORED} EXCEPT SELECT name, sort FROM {TABLE}")).first() is None


def _on_sqlite() -> list[str]:
    named = "WHEN new.publisher_sort IS NOT NULL"
    return [
        f"CREATE TRIGGER {name} AFTER {event} ON application {named} BEGIN {UPSERT} END"
        for name, event in zip(TRIGGERS, EVENTS, strict=True)
    ]


def _on_postgresql() -> list[str]:
    named, body = "FOR EACH ROW WHEN (new.publisher_sort IS NOT NULL)", f"BEGIN {UPSERT} RETURN NULL; END"
    return [
        f"CREATE OR REPLACE FUNCTION {TABLE}() RETURNS trigger {PLPGSQL} AS $$ {body} $$",
        *(
            f"CREATE TRIGGER {name} AFTER {event} ON application {named} EXECUTE FUNCTION {TABLE}()"
            for name, event in zip(TRIGGERS, EVENTS, strict=True)
        ),
    ]
