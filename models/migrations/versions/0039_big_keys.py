"""Keys of the tables that grow with every application become BIGINT on PostgreSQL; SQLite's have 64 bits anyway.

Each table is rewritten once, with its indexes, in the transaction of the upgrade: nobody can read or write meanwhile.
"""

from alembic import op

revision = "0039"
down_revision = "0038"

KEYS = {
    "customs_receipt": ("id",),
    "signin_failure": ("id",),
    "application": ("id", "replaces_id"),
    "attachment": ("id", "application_id"),
    "carrier": ("id", "application_id"),
    "case_lease": ("id", "application_id"),
    "certificate": ("id", "replaces_id", "application_id"),
    "log_entry": ("id",),
    "notification": ("id", "application_id"),
    "trail_entry": ("id", "application_id"),
    "typed_form": ("id", "application_id"),
    "visit": ("id",),
    "customs_message": ("id", "certificate_id", "application_id"),
    "mail_letter": ("id", "notification_id"),
    "paper": ("id", "certificate_id", "application_id"),
    "paper_task": ("id", "certificate_id", "application_id"),
    "portal_visit": ("id", "visit_id"),
    "customs_letter": ("id", "customs_message_id", "application_id"),
    "certificate_use": ("id", "certificate_id", "receipt_id", "application_id"),
    "customs_note": ("id", "customs_message_id", "receipt_id", "application_id"),
}


def upgrade() -> None:
    _alter("BIGINT")


def downgrade() -> None:
    _alter("INTEGER")


def _alter(kind: str) -> None:
    """Change all keys of a table in one statement, so that it is rewritten once; and the sequence of its ids."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, columns in KEYS.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {name} TYPE {kind}' for name in columns)}")
        op.execute(f"ALTER SEQUENCE {table}_id_seq AS {kind}")
