"""`stock_opinion.position`: the order in which the reviewers of a province want their 常用意见."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("stock_opinion", sa.Column("position", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE stock_opinion SET position = id")


def downgrade() -> None:
    op.drop_column("stock_opinion", "position")
