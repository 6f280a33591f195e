"""Security keys required by a province; failed attempts to process a customs receipt; indexes of what is open.

Of open sessions, and of messages to customs that the menu counts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

OPEN, UNANSWERED = sa.text("ended_at IS NULL"), sa.text("answered_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "province_settings", sa.Column("keys_required", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("customs_receipt", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("customs_receipt", sa.Column("failure", sa.Text(), nullable=True))
    op.add_column("customs_receipt", sa.Column("next_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("customs_receipt", sa.Column("next_place", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_visit_open", "visit", ["seen_at"], postgresql_where=OPEN, sqlite_where=OPEN)
    op.create_index(
        "ix_customs_message_stuck", "customs_message", ["desk", "set_aside_at", "sent_at", "answered_at"],
        postgresql_where=UNANSWERED, sqlite_where=UNANSWERED,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_customs_message_stuck", "customs_message")
    op.drop_index("ix_visit_open", "visit")
    for name in ("next_place", "next_at", "failure", "failures"):
        op.drop_column("customs_receipt", name)
    op.drop_column("province_settings", "keys_required")
