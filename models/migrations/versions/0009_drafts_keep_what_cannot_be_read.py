"""A draft keeps typed values that are invalid: `unread` on the application and its carriers, whose required columns may
be empty until 申报.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

REQUIRED = (
    ("specification", sa.String(255)),
    ("quantity", sa.Numeric(24, 5).with_variant(sa.String(32), "sqlite")),
    ("unit", sa.String(3)),
)


def upgrade() -> None:
    op.add_column("application", sa.Column("unread", sa.JSON(), nullable=True))
    with op.batch_alter_table("carrier") as table:
        table.add_column(sa.Column("unread", sa.JSON(), nullable=True))
        for name, kind in REQUIRED:
            table.alter_column(name, existing_type=kind, nullable=True)


def downgrade() -> None:
    """Rows of drafts that lack a required cell cannot be kept: the former schema has no place for them."""
    lacking = " OR ".join(f"{name} IS NULL" for name, _kind in REQUIRED)
    op.execute(f"DELETE FROM carrier WHERE {lacking}")
    with op.batch_alter_table("carrier") as table:
        for name, kind in REQUIRED:
            table.alter_column(name, existing_type=kind, nullable=False)
        table.drop_column("unread")
    op.drop_column("application", "unread")
