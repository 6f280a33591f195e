"""`province_settings.required_kinds`, and columns that keep messages and e-mails from being repeated or lost."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

COLUMNS = (
    ("province_settings", sa.Column("required_kinds", sa.String(200), server_default="", nullable=False)),
    ("announcement", sa.Column("page_key", sa.String(32), nullable=True)),
    ("entrustment", sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True)),
    ("notification", sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True)),
    ("heartbeat", sa.Column("words", sa.String(200), server_default="", nullable=False)),
)
# Messages in former digests are marked as mailed, so that no new digest repeats them.
MAILED = """UPDATE notification SET mailed_at = at WHERE at <= (SELECT max(queued_at) FROM mail_letter
  WHERE mail_letter.account_id = notification.account_id AND mail_letter.day IS NOT NULL)"""


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    op.execute(MAILED)


def downgrade() -> None:
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
