"""An index that finds the draft of a page among those of its owner; two go that nothing asked.

On SQLite every new draft read all applications of its press, in the turn that all writers wait for: of two indexes that
fit one condition each, the planner took the wrong one. The second was a copy of the unique one.
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
