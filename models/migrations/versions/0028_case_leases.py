"""`case_lease`: the reviewer who has taken a pending application (接办), and the province's length of such a lease."""

import sqlalchemy as sa
from alembic import op

from models.clock import Moment

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "case_lease",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("taken_at", Moment(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_case_lease_account_id_account"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_case_lease_application_id_application"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_lease")),
        sa.UniqueConstraint("application_id", name=op.f("uq_case_lease_application_id")),
    )
    op.create_index(op.f("ix_case_lease_account_id"), "case_lease", ["account_id"])
    op.create_index(op.f("ix_case_lease_application_id"), "case_lease", ["application_id"])
    op.add_column("province_settings", sa.Column("lease_minutes", sa.Integer(), server_default="30", nullable=False))


def downgrade() -> None:
    op.drop_column("province_settings", "lease_minutes")
    op.drop_table("case_lease")
