"""`act_count` has days, too, by province: all acts wait to be counted again, by the next worker."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

ACTS = "('grant', 'decline', 'refuse', 'revoke')"


def upgrade() -> None:
    op.execute("DELETE FROM act_count")
    op.execute("DELETE FROM uncounted_act")
    op.execute(
        "INSERT INTO uncounted_act (entry_id, application_id)"
        f" SELECT id, application_id FROM trail_entry WHERE act IN {ACTS} ORDER BY id"
    )


def downgrade() -> None:
    op.execute("DELETE FROM act_count WHERE length(period) = 9 AND period NOT LIKE '%/%'")
