"""`export_lease`: one export a person at a time, on all machines. `application.last_change`: read by /api/."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0040"

INTERNAL = "'take', 'take_over', 'put_back'"  # as they were called then
SCOPES = ("owner_id", "desk", "issued")


def upgrade() -> None:
    op.create_table(
        "export_lease",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_export_lease_account_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_export_lease")),
    )
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("application", sa.Column("last_change", big, nullable=True))
    newest = f"SELECT max(id) FROM trail_entry WHERE application_id = application.id AND act NOT IN ({INTERNAL})"
    op.execute(f"UPDATE application SET last_change = ({newest})")
    for scope in SCOPES:
        op.create_index(op.f(f"ix_application_{scope}_last_change_id"), "application", [scope, "last_change", "id"])


def downgrade() -> None:
    for scope in SCOPES:
        op.drop_index(op.f(f"ix_application_{scope}_last_change_id"), "application")
    op.drop_column("application", "last_change")
    op.drop_table("export_lease")
