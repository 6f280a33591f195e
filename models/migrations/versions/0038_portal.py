"""`portal_link`, `portal_request`, `portal_visit`: signing on from the portal of 单一窗口; `signin_failure.is_code`.

`visit.authenticated_at`: when the user authenticated at the portal. `attachment.scanned_at`: when a file was scanned for viruses.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.create_table(
        "portal_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_portal_link_account_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_link")),
        sa.UniqueConstraint("account_id", "issuer", name=op.f("uq_portal_link_account_id_issuer")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_portal_link_issuer_subject")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "portal_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("organisation", sa.String(100), nullable=False),
        sa.Column("credit_code", sa.String(18), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_request")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_portal_request_issuer_subject")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "portal_visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle_hash", sa.String(64), nullable=False),
        sa.Column("subject_hash", sa.String(64), nullable=False),
        sa.Column("session_hash", sa.String(64), nullable=True),
        sa.Column("id_token", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_portal_visit_visit_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_visit")),
        sa.UniqueConstraint("handle_hash", name=op.f("uq_portal_visit_handle_hash")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_portal_visit_visit_id")),
    )
    op.add_column("visit", sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attachment", sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("signin_failure", sa.Column("is_code", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(op.f("ix_portal_visit_session_hash"), "portal_visit", ["session_hash"])
    op.create_index(op.f("ix_portal_visit_subject_hash"), "portal_visit", ["subject_hash"])


def downgrade() -> None:
    op.drop_column("signin_failure", "is_code")
    op.drop_column("attachment", "scanned_at")
    op.drop_column("visit", "authenticated_at")
    op.drop_table("portal_visit")
    op.drop_table("portal_request")
    op.drop_table("portal_link")
