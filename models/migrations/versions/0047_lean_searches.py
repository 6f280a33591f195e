"""The index of open messages has every column that is counted; the search index of SQLite contains publishers.

/healthz and 数据交换 read every open message. A common word beside a publisher's name read all rows that have the word;
the search index is no part of the steps, and built anew after them (env.py).
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_customs_message_open", "customs_message"
OPEN = sa.text("answered_at IS NULL")


def upgrade() -> None:
    _replace(["desk", "queued_at", "id", "answered_at", "sent_in", "sent_at", "set_aside_at"])


def downgrade() -> None:
    _replace(["desk", "queued_at", "id"])


def _replace(columns: list[str]) -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, columns, sqlite_where=OPEN, postgresql_where=OPEN)
