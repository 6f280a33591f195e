"""Longer names of those who act: a person's name (50) with that of the organisation (100) in brackets."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _resize(120, 160)


def downgrade() -> None:
    _resize(160, 120)


def _resize(before: int, after: int) -> None:
    with op.batch_alter_table("trail_entry") as table:
        table.alter_column("actor_name", existing_type=sa.String(before), type_=sa.String(after), nullable=False)
