"""Columns computed by the database: how SQLite creates them, and how Alembic detects a changed expression.

Declare one as `mapped_column(Computed("…", persisted=True))`. Alembic by itself does not compare expressions.
"""

import re
from typing import Any

from alembic.autogenerate import comparators
from alembic.operations import ops
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column, Computed, Connection, Index, MetaData, Table, text
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
    """On SQLite, always VIRTUAL, whatever `persisted` is."""
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


@comparators.dispatch_for("table", priority=DispatchPriority.LAST, subgroup="computed")
def compare(
    context: Any, change: ops.ModifyTableOps, schema: str | None, name: str, found: Table | None, wanted: Table | None
) -> PriorityDispatchResult:
    """For a changed expression, drop and re-create the column and its indexes: that recomputes every row."""
    if found is None or wanted is None or not any(column.computed is not None for column in wanted.columns):
        return PriorityDispatchResult.CONTINUE
    current, target = expressions(context.connection, name), expected(context.connection, wanted)
    changed = {column for column in target if column in found.columns and target[column] != current.get(column)}
    handled = {getattr(op, "index_name", None) for op in change.ops}  # indexes that Alembic drops or creates already
    change.ops[:0] = [ops.DropIndexOp.from_index(i) for i in _indexes_on(found, changed) if i.name not in handled]
    for column in sorted(changed):
        computed = [Computed(current[column], True)] if column in current else []
        old = Column(column, wanted.columns[column].type, *computed)
        change.ops += [
            ops.DropColumnOp.from_column_and_tablename(schema, name, Table(name, MetaData(), old).columns[column]),
            ops.AddColumnOp.from_column_and_tablename(schema, name, wanted.columns[column]),
        ]
    change.ops += [ops.CreateIndexOp.from_index(i) for i in _indexes_on(wanted, changed) if i.name not in handled]
    return PriorityDispatchResult.CONTINUE


def _indexes_on(table: Table, columns: set[str]) -> list[Index]:
    """The indexes over any of these columns, by name; once each, because reflection may list one twice."""
    indexes = {str(index.name): index for index in table.indexes if columns & {column.name for column in index.columns}}
    return [index for _name, index in sorted(indexes.items())]
