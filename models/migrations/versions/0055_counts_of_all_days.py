"""`act_count` has days by publisher, kind of carrier and country, too, and publishers only by province: all acts wait to
be counted again, by the end of `upgrade`."""

from alembic import op

revision = "0055"
down_revision = "0054"

ACTS = "('grant', 'decline', 'refuse', 'revoke')"


def upgrade() -> None:
    _count_again()


def downgrade() -> None:
    _count_again()


def _count_again() -> None:
    op.execute("DELETE FROM act_count")
    op.execute("DELETE FROM uncounted_act")
    op.execute(
        "INSERT INTO uncounted_act (entry_id, application_id)"
        f" SELECT id, application_id FROM trail_entry WHERE act IN {ACTS} ORDER BY id"
    )
