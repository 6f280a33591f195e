"""`stock_opinion`: 常用意见 of the provinces."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "stock_opinion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("province", sa.String(6), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_opinion")),
        sa.UniqueConstraint("province", "act", "words", name=op.f("uq_stock_opinion_province_act_words")),
    )


def downgrade() -> None:
    op.drop_table("stock_opinion")
