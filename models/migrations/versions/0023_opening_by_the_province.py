"""When the province first opened a pending application: until then the applicant may withdraw it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("application", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    # A pending application may have been opened before: it counts as opened when it was submitted.
    op.execute("UPDATE application SET opened_at = submitted_at WHERE status = 'pending'")


def downgrade() -> None:
    op.drop_column("application", "opened_at")
