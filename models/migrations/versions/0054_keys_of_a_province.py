"""Security keys required by a province; indexes of open sessions, failed sign-ins and unanswered messages;
failures of a customs receipt.

A job now ends and logs sessions that time out. Those that nobody ended for years are ended here, a day after their last
request and without an entry of the log: nobody has timed out today. A day is longer than a session lasts by default, so
that their cookies still get the sentence of a time-out.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

OPEN, UNANSWERED = sa.text("ended_at IS NULL"), sa.text("answered_at IS NULL")
STORED = "%Y-%m-%d %H:%M:%f000"  # as SQLAlchemy writes a moment on SQLite
TIMES = {  # a day ago, a day after the last request
    "postgresql": ("now() - interval '1 day'", "seen_at + interval '1 day'"),
    "sqlite": (f"strftime('{STORED}', 'now', '-1 day')", f"strftime('{STORED}', seen_at, '+1 day')"),
}


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
    op.create_index("ix_signin_failure_place_hash_at", "signin_failure", ["place_hash", "at"])
    day_ago, a_day_later = TIMES[op.get_bind().dialect.name]
    op.execute(f"UPDATE visit SET ended_at = {a_day_later} WHERE ended_at IS NULL AND seen_at < {day_ago}")


def downgrade() -> None:
    op.drop_index("ix_customs_message_stuck", "customs_message")
    op.drop_index("ix_signin_failure_place_hash_at", "signin_failure")
    op.drop_index("ix_visit_open", "visit")
    for name in ("next_place", "next_at", "failure", "failures"):
        op.drop_column("customs_receipt", name)
    op.drop_column("province_settings", "keys_required")
