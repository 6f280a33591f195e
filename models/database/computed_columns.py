"""Columns computed by the database: how SQLite creates them, and the expressions of those that exist.

Declare one as `mapped_column(Computed("…", persisted=True))`.
"""

import re
from typing import Any

from sqlalchemy import Column, Computed, Connection, MetaData, Table, text
from sqlalchemy.ext.compiler import compiles

PROBE = "computed_probe"
KIND = "VIRTUAL"  # SQLite cannot add a STORED column to an existing table; a virtual column can be indexed too
DEFINITIONS = {
    "sqlite": "SELECT sql FROM (SELECT * FROM sqlite_master UNION ALL SELECT * FROM sqlite_temp_master)"
    " WHERE name = :name",
    "postgresql": "SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid"
    " AND attnum = adnum WHERE adrelid = to_regclass(:name) AND attgenerated <> ''",
}
COLUMN = re.compile(r'[(,]\s*"?(\w+)"?\s+\w+(?:\s*\([\d, ]+\))?\s+GENERATED ALWAYS AS \(')


@compiles(Computed, "sqlite")
def _virtual(computed: Computed, compiler: Any, **_options: Any) -> str:
    """SQL of a computed column on SQLite: always VIRTUAL, also when `persisted` is set."""
    expression = compiler.sql_compiler.process(computed.sqltext, include_table=False, literal_binds=True)
    return f"GENERATED ALWAYS AS ({expression}) {KIND}"


def expressions(connection: Connection, table: str) -> dict[str, str]:
    """The computed columns of an existing table: name → expression, in the database's own spelling."""
    rows = connection.execute(text(DEFINITIONS[connection.dialect.name]), {"name": table}).all()
    if connection.dialect.name == "postgresql":
        return dict(rows)
    return {match[1]: _until_closing(sql, match.end()) for (sql,) in rows for match in COLUMN.finditer(sql)}


def _until_closing(sql: str, start: int) -> str:
    """The text from `start` up to the bracket that closes the one just before it."""
    depth = 1
    for token in re.finditer(r"'(?:[^']|'')*'|[()]", sql[start:]):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if not depth:
            return " ".join(sql[start : start + token.start()].split())
    raise ValueError(f"no closing bracket: {sql}")


def expected(connection: Connection, table: Table) -> dict[str, str]:
    """As `expressions`, for the table as the models describe it: read back from a temporary table."""
    columns = [
        Column(column.name, column.type, *([Computed(column.computed.sqltext, True)] if column.computed else []))
        for column in table.columns
    ]
    probe = Table(PROBE, MetaData(), *columns, prefixes=["TEMPORARY"])
    probe.create(connection)
    try:
        return expressions(connection, PROBE)
    finally:
        probe.drop(connection)
