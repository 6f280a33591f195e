"""Runs the steps against the application's own database, all of them in one transaction, one process at a time."""

from typing import Any, Literal

from alembic import context
from flask import current_app

from models.access import row_security
from models.database import changed_columns as changed_columns  # registers its comparison of computed columns
from models.database import lock_for_migration, search, triggers, uncounted_acts

PLAIN = {
    "WordColumn": "sa.String(32)",
    "Moment": "sa.DateTime(timezone=True)",
    "Exact": 'sa.Numeric(24, 5).with_variant(sa.String(32), "sqlite")',
}


def plain(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Steps name plain types: they must still run when our own types have moved on."""
    return PLAIN.get(type(item).__name__, False) if kind == "type" else False


database = current_app.extensions["migrate"].db

with database.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        compare_type=True,
        render_item=plain,
        include_name=lambda name, _kind, _parents: not (name or "").startswith(search.PREFIX),
        transaction_per_migration=False,
        transactional_ddl=True,  # SQLite too: lock_for_migration begins the transaction
    )
    with context.begin_transaction():
        lock_for_migration(connection)
        before = context.get_context().get_current_heads()
        has_policies = row_security.is_on(connection)
        if has_policies:
            row_security.remove(connection)
        triggers.remove(connection)
        search.remove(connection)
        uncounted_acts.remove(connection)
        context.run_migrations()
        triggers.install(connection)
        uncounted_acts.install(connection)
        search.install(connection, changed=context.get_context().get_current_heads() != before)
        if has_policies:
            row_security.install(connection)
            row_security.speed_up_searches(connection)
