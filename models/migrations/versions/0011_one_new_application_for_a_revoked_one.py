"""`copied_from` on the application: the revoked one that it was made from, so that 重新申请 pressed twice makes one."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("application", sa.Column("copied_from", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_application_copied_from"), "application", ["copied_from"])
    op.execute(
        "UPDATE application SET copied_from ="
        " (SELECT certificate.application_id FROM certificate WHERE certificate.id = application.replaces_id)"
        " WHERE replaces_id IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_application_copied_from"), "application")
    op.drop_column("application", "copied_from")
