"""`card_certificate`: certificates on IC cards and IKeys, each bound to an account."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "card_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("issuer_hash", sa.String(64), nullable=False),
        sa.Column("serial", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_card_certificate_account_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_certificate")),
        sa.UniqueConstraint("issuer_hash", "serial", name=op.f("uq_card_certificate_issuer_hash_serial")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_card_certificate_account_id"), "card_certificate", ["account_id"])


def downgrade() -> None:
    op.drop_table("card_certificate")
