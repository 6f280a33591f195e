"""Trail entries carry a digest of what the act wrote, and an application the seal of its newest entry."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("trail_entry", sa.Column("digest", sa.String(64), nullable=True))
    op.add_column("application", sa.Column("last_seal", sa.String(64), nullable=True))
    op.execute(
        "UPDATE application SET last_seal = (SELECT seal FROM trail_entry WHERE id = ("
        "SELECT max(id) FROM trail_entry WHERE application_id = application.id))"
    )


def downgrade() -> None:
    op.drop_column("application", "last_seal")
    op.drop_column("trail_entry", "digest")
