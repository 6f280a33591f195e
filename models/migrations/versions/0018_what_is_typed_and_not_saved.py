"""`typed_form`: what an account has typed into a form and has not saved yet (自动保存)."""

import sqlalchemy as sa
from alembic import op

from models.clock import Moment

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "typed_form",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("page_key", sa.String(32), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", Moment(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_typed_form_account_id_account"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_typed_form_application_id_application"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_typed_form")),
        sa.UniqueConstraint("application_id", "account_id", name=op.f("uq_typed_form_application_id_account_id")),
    )
    op.create_index(op.f("ix_typed_form_account_id"), "typed_form", ["account_id"])
    op.create_index(op.f("ix_typed_form_application_id"), "typed_form", ["application_id"])


def downgrade() -> None:
    op.drop_table("typed_form")
