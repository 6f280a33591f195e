"""`log_seal`: the hash chain of the log. Existing entries are sealed by the first job that runs (models/log/chain.py)."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "log_seal",
        sa.Column("entry_id", key, autoincrement=False, nullable=False),
        sa.Column("algorithm", sa.String(length=8), nullable=True),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_log_seal")),
    )


def downgrade() -> None:
    op.drop_table("log_seal")
