"""`province_settings.required_kinds`: further kinds of attachments that a province requires."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("province_settings", sa.Column("required_kinds", sa.String(200), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("province_settings", "required_kinds")
