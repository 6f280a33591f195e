"""An index that finds the draft of a page among those of its owner; two that are not needed are dropped.

On SQLite every new draft read all applications of its publisher while other writers waited: of two indexes that fitted
one condition each, the planner took the wrong one. The second dropped index repeated a unique one.
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_application_owner_id_page_key"), "application", ["owner_id", "page_key"])
    op.drop_index(op.f("ix_application_page_key"), "application")
    op.drop_index(op.f("ix_certificate_application_id"), "certificate")


def downgrade() -> None:
    op.create_index(op.f("ix_certificate_application_id"), "certificate", ["application_id"])
    op.create_index(op.f("ix_application_page_key"), "application", ["page_key"])
    op.drop_index(op.f("ix_application_owner_id_page_key"), "application")
