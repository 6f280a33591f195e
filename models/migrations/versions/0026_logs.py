"""`log_entry`: the log of sign-ins, acts of operators, prints and exports; a visit has address and browser."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

LED_BY = ("kind", "username", "address", "about")


def upgrade() -> None:
    op.create_table(
        "log_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("program", sa.String(40), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_log_entry_account_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_entry")),
    )
    op.create_index(op.f("ix_log_entry_log_at_id"), "log_entry", ["log", "at", "id"])
    for name in LED_BY:
        op.create_index(op.f(f"ix_log_entry_log_{name}_at_id"), "log_entry", ["log", name, "at", "id"])
    op.add_column("visit", sa.Column("address", sa.String(45), nullable=True))
    op.add_column("visit", sa.Column("program", sa.String(40), nullable=True))
    op.add_column("visit", sa.Column("ended_by", sa.String(50), nullable=True))
    op.create_index(op.f("ix_visit_seen_at"), "visit", ["seen_at"])
    op.create_index(op.f("ix_trail_entry_at_id"), "trail_entry", ["at", "id"])
    op.create_index(op.f("ix_trail_entry_actor_id_at_id"), "trail_entry", ["actor_id", "at", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_trail_entry_actor_id_at_id"), "trail_entry")
    op.drop_index(op.f("ix_trail_entry_at_id"), "trail_entry")
    op.drop_index(op.f("ix_visit_seen_at"), "visit")
    for name in ("ended_by", "program", "address"):
        op.drop_column("visit", name)
    op.drop_table("log_entry")
