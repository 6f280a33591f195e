"""`trail_entry.algorithm`: the hash function of the seal, NULL for SHA-256. Present entries are not changed."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.add_column("trail_entry", sa.Column("algorithm", sa.String(length=8), nullable=True))


def downgrade() -> None:
    op.drop_column("trail_entry", "algorithm")
