"""`page_key` on the application and its carriers: the page that saved them, so that a repeated save is recognised."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("application", sa.Column("page_key", sa.String(32), nullable=True))
    op.create_index(op.f("ix_application_page_key"), "application", ["page_key"])
    op.add_column("carrier", sa.Column("page_key", sa.String(40), nullable=True))


def downgrade() -> None:
    op.drop_column("carrier", "page_key")
    op.drop_index(op.f("ix_application_page_key"), "application")
    op.drop_column("application", "page_key")
