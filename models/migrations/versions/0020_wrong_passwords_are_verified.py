"""`is_wrong` on recorded attempts to sign in: an attempt that a crash cut short was never verified, and is no failure."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("signin_failure", sa.Column("is_wrong", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("signin_failure", "is_wrong")
