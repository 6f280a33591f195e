"""Columns computed by the database: how SQLite makes them, and how Alembic sees that one has changed.

Declare one as `mapped_column(Computed("…", persisted=True))`. Alembic itself compares no expressions.
"""

import re
from typing import Any

from alembic.autogenerate import comparators
from alembic.operations import ops
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column, Computed, Connection, Index, MetaData, Table, text
from sqlalchemy.ext.compiler import compiles

PROBE = "computed_probe"
KIND = "VIRTUAL"  # SQLite cannot add a stored column to a table that is there; a virtual one can be indexed as well
STORED = {
    "sqlite": "SELECT sql FROM (SELECT * FROM sqlite_master UNION ALL SELECT * FROM sqlite_temp_master)"
    " WHERE name = :name",
    "postgresql": "SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid"
    " AND attnum = adnum WHERE adrelid = to_regclass(:name) AND attgenerated <> ''",
}
COLUMN = re.compile(r'[(,]\s*"?(\w+)"?\s+\w+(?:\s*\([\d, ]+\))?\s+GENERATED ALWAYS AS \(')


@compiles(Computed, "sqlite")
def _virtual(computed: Computed, compiler: Any, **_options: Any) -> str:
    """On SQLite, whatever `persisted` says."""
    words = compiler.sql_compiler.process(computed.sqltext, include_table=False, literal_binds=True)
    return f"GENERATED ALWAYS AS ({words}) {KIND}"


def expressions(connection: Connection, table: str) -> dict[str, str]:
    """The computed columns of a table that is there: name → expression, as this database keeps it."""
    rows = connection.execute(text(STORED[connection.dialect.name]), {"name": table}).all()
    if connection.dialect.name == "postgresql":
        return dict(rows)
    return {found[1]: _enclosed(sql, found.end()) for (sql,) in rows for found in COLUMN.finditer(sql)}


def _enclosed(sql: str, start: int) -> str:
    """From `start` up to the bracket that closes the one before it."""
    depth = 1
    for sign in re.finditer(r"'(?:[^']|'')*'|[()]", sql[start:]):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if not depth:
            return " ".join(sql[start : start + sign.start()].split())
    raise ValueError(f"no closing bracket: {sql}")


def expected(connection: Connection, table: Table) -> dict[str, str]:
    """What `expressions` would be, were the table made from the models now: asked of a temporary one."""
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
    context: Any, change: ops.ModifyTableOps, schema: str | None, name: str, there: Table | None, wanted: Table | None
) -> PriorityDispatchResult:
    """A changed expression: its indexes and the column are dropped and made again, which computes every row anew."""
    if there is None or wanted is None or not any(column.computed is not None for column in wanted.columns):
        return PriorityDispatchResult.CONTINUE
    now, then = expressions(context.connection, name), expected(context.connection, wanted)
    changed = {column for column in then if column in there.columns and then[column] != now.get(column)}
    known = {getattr(op, "index_name", None) for op in change.ops}  # indexes that Alembic itself drops or makes
    change.ops[:0] = [ops.DropIndexOp.from_index(i) for i in _touching(there, changed) if i.name not in known]
    for column in sorted(changed):
        old = Column(column, wanted.columns[column].type, *([Computed(now[column], True)] if column in now else []))
        change.ops += [
            ops.DropColumnOp.from_column_and_tablename(schema, name, Table(name, MetaData(), old).columns[column]),
            ops.AddColumnOp.from_column_and_tablename(schema, name, wanted.columns[column]),
        ]
    change.ops += [ops.CreateIndexOp.from_index(i) for i in _touching(wanted, changed) if i.name not in known]
    return PriorityDispatchResult.CONTINUE


def _touching(table: Table, columns: set[str]) -> list[Index]:
    """The indexes that one of these columns is part of; once each, for reflection may tell them twice."""
    found = {str(index.name): index for index in table.indexes if columns & {column.name for column in index.columns}}
    return [index for _name, index in sorted(found.items())]
