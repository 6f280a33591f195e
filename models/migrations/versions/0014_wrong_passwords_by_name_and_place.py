"""Wrong passwords are counted by name and place in a table of their own, no longer on the account. A visit has the
hash of its browser's cookie, and at most one encrypted note, which is shown once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "signin_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name_hash", sa.String(64), nullable=False),
        sa.Column("place_hash", sa.String(64), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slows", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signin_failure")),
    )
    op.create_index(op.f("ix_signin_failure_name_hash"), "signin_failure", ["name_hash"])
    op.create_index(op.f("ix_signin_failure_at"), "signin_failure", ["at"])
    op.add_column("visit", sa.Column("browser_hash", sa.String(64), nullable=True))
    op.add_column("visit", sa.Column("note", sa.Text(), nullable=True))
    op.drop_column("account", "locked_until")  # not as a batch: on SQLite that would drop a table that others refer to
    op.drop_column("account", "failures")


def downgrade() -> None:
    op.add_column("account", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("account", sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("visit", "note")
    op.drop_column("visit", "browser_hash")
    op.drop_index(op.f("ix_signin_failure_at"), "signin_failure")
    op.drop_index(op.f("ix_signin_failure_name_hash"), "signin_failure")
    op.drop_table("signin_failure")
