"""`stock_opinion.position`: the order of the 常用意见 of a province."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("stock_opinion", sa.Column("position", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE stock_opinion SET position = id")


def downgrade() -> None:
    op.drop_column("stock_opinion", "position")
