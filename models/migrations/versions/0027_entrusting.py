"""`entrustment`: invited and not yet accepted; ended before its last day."""

import sqlalchemy as sa
from alembic import op

from models.clock import Moment

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    with op.batch_alter_table("entrustment") as table:
        table.add_column(sa.Column("pending", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("ended_at", Moment(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("entrustment") as table:
        table.drop_column("ended_at")
        table.drop_column("pending")
