"""`copied_from`, which holds the id of an application, becomes BIGINT on PostgreSQL; 0039 had left it out."""

from alembic import op

revision = "0054"
down_revision = "0053"


def upgrade() -> None:
    _alter("BIGINT")


def downgrade() -> None:
    _alter("INTEGER")


def _alter(kind: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE application ALTER COLUMN copied_from TYPE {kind}")
