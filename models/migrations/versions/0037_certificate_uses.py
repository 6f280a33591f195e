"""`certificate_use`: uses of a certificate that customs has reported, 核注 and 核销."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.create_table(
        "certificate_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("usage", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{table}_id" if table != "customs_receipt" else "receipt_id"],
                [f"{table}.id"],
                name=op.f(f"fk_certificate_use_{table if table != 'customs_receipt' else 'receipt'}_id"),
                ondelete="RESTRICT",
            )
            for table in ("application", "certificate", "customs_receipt")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_use")),
        sa.UniqueConstraint(
            "certificate_id", "usage", "reference", name=op.f("uq_certificate_use_certificate_id_usage_reference")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_certificate_use_application_id"), "certificate_use", ["application_id"])
    op.create_index(op.f("ix_certificate_use_receipt_id"), "certificate_use", ["receipt_id"])


def downgrade() -> None:
    op.drop_table("certificate_use")
