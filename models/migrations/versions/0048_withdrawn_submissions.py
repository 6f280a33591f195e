"""A withdrawn submission is not counted; until now the next one was listed as 退回后重新申报."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

COUNTED = "SELECT count(*) FROM trail_entry WHERE trail_entry.application_id = application.id AND trail_entry.act"
WITHDRAWN = "id IN (SELECT application_id FROM trail_entry WHERE act = 'withdraw')"


def upgrade() -> None:
    op.execute(f"UPDATE application SET submissions = ({COUNTED} = 'submit') - ({COUNTED} = 'withdraw') WHERE {WITHDRAWN}")


def downgrade() -> None:
    op.execute(f"UPDATE application SET submissions = ({COUNTED} = 'submit') WHERE {WITHDRAWN}")
