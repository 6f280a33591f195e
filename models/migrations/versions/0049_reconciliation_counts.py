"""The counts of a comparison with customs are named after what they count."""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

NAMES = (("ours", "messages"), ("theirs", "ledger_entries"))


def upgrade() -> None:
    for old, new in NAMES:
        op.execute(f"ALTER TABLE reconciliation RENAME COLUMN {old} TO {new}")


def downgrade() -> None:
    for old, new in NAMES:
        op.execute(f"ALTER TABLE reconciliation RENAME COLUMN {new} TO {old}")
