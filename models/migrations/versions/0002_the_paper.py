"""The paper of a certificate, its check code and end of validity, and the certificate that it replaces."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def upgrade() -> None:
    op.create_table(
        "paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_paper_application_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_paper_certificate_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("certificate_id", name=op.f("uq_paper_certificate_id")),
    )
    op.create_index(op.f("ix_paper_application_id"), "paper", ["application_id"], unique=False)
    op.create_index(op.f("ix_paper_digest"), "paper", ["digest"], unique=False)
    for table in ("application", "certificate"):
        op.add_column(table, sa.Column("replaces_id", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_certificate_replaces_id"), "certificate", ["replaces_id"], unique=True)
    op.add_column("certificate", sa.Column("valid_until", sa.Date(), nullable=True))
    op.add_column("certificate", sa.Column("check_code", sa.String(length=12), nullable=False, server_default=""))
    connection = op.get_bind()
    certificate = sa.table("certificate", sa.column("id"), sa.column("check_code"))
    for key in connection.scalars(sa.select(certificate.c.id)).all():  # no paper was ever issued for these
        code = "".join(secrets.choice(SIGNS) for _ in range(12))
        connection.execute(sa.update(certificate).where(certificate.c.id == key).values(check_code=code))


def downgrade() -> None:
    op.drop_index(op.f("ix_certificate_replaces_id"), table_name="certificate")
    for table, name in (
        ("certificate", "check_code"),
        ("certificate", "valid_until"),
        ("certificate", "replaces_id"),
        ("application", "replaces_id"),
    ):
        op.drop_column(table, name)
    op.drop_table("paper")
