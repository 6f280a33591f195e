"""Makes Alembic detect computed columns whose expression has changed: by itself it does not compare expressions."""

from typing import Any

from alembic.autogenerate import comparators
from alembic.operations import ops
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column, Computed, Index, MetaData, Table

from models.database.computed_columns import expected, expressions


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
