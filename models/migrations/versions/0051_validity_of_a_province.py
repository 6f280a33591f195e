"""Days for which the certificates of a province hold; NULL: those of the whole system."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("province_settings", sa.Column("valid_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("province_settings", "valid_days")
