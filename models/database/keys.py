"""Keys that may outgrow 32 bits: BIGINT on PostgreSQL, where changing the type later rewrites the table.

SQLite keeps INTEGER, whose keys have 64 bits anyway. Tables whose rows are bounded by the number of organisations and
accounts stay INTEGER.
"""

from sqlalchemy import BigInteger, Column, Integer, Table, event

BIG = BigInteger().with_variant(Integer(), "sqlite")
GROWING = frozenset({  # tables with a row, or many, for each application, each act, each visit
    "application", "attachment", "carrier", "case_lease", "certificate", "certificate_use", "customs_letter",
    "customs_message", "customs_note", "customs_receipt", "log_entry", "mail_letter", "notification", "paper",
    "paper_task", "portal_visit", "signin_failure", "trail_entry", "typed_form", "uncounted_act", "visit",
})  # fmt: skip


@event.listens_for(Column, "before_parent_attach")
def widen(column: Column[int], table: Table) -> None:
    """Set the type of the primary keys of GROWING tables and of foreign keys to them, as each table is declared."""
    is_key = isinstance(table, Table) and table.name in GROWING and column.name in ("id", "replaces_id", "copied_from")
    if is_key and type(column.type) is Integer:
        column.type = BIG
