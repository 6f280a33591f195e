"""The first schema: accounts, applications, attachments, certificates, trail, codes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "district",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_district")),
        sa.UniqueConstraint("code", name=op.f("uq_district_code")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("trade", sa.String(32), nullable=False),
        sa.Column("province", sa.String(length=6), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_organisation_credit_code")),
    )
    op.create_table(
        "serial",
        sa.Column("series", sa.String(length=8), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "year", name=op.f("pk_serial")),
    )
    op.create_table(
        "spent_challenge",
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent_challenge")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("province", sa.String(length=6), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_account_organisation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
    )
    op.create_table(
        "application",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=14), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("filing", sa.String(32), nullable=True),
        sa.Column("applicant_id", sa.Integer(), nullable=False),
        sa.Column("applicant_name", sa.String(length=100), nullable=False),
        sa.Column("applicant_code", sa.String(length=18), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=True),
        sa.Column("publisher_name", sa.String(length=100), nullable=True),
        sa.Column("publisher_code", sa.String(length=18), nullable=True),
        sa.Column("province", sa.String(length=6), nullable=True),
        sa.Column("authority", sa.String(length=50), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("title_key", sa.String(length=600), nullable=True),
        sa.Column("category", sa.String(32), nullable=True),
        sa.Column("catalogue_number", sa.String(length=100), nullable=True),
        sa.Column("isbn", sa.String(length=20), nullable=True),
        sa.Column("isrc", sa.String(length=40), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("copyright_owner", sa.String(length=200), nullable=True),
        sa.Column("manufacturer", sa.String(length=200), nullable=True),
        sa.Column("country", sa.String(length=3), nullable=True),
        sa.Column("sid_code", sa.String(length=50), nullable=True),
        sa.Column("contract_number", sa.String(length=100), nullable=True),
        sa.Column("port", sa.String(length=4), nullable=True),
        sa.Column("consignee", sa.String(length=200), nullable=True),
        sa.Column("hs_code", sa.String(length=10), nullable=True),
        sa.Column("trade_mode", sa.String(length=40), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("contact", sa.String(length=50), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "owner_id",
            sa.Integer(),
            sa.Computed("CASE WHEN deleted_at IS NULL THEN applicant_id END", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "desk",
            sa.String(length=6),
            sa.Computed("CASE WHEN status NOT IN ('draft') THEN province END", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "issued",
            sa.Integer(),
            sa.Computed(
                "CASE WHEN status IN ('filed', 'customs_received', 'customs_failed', 'revoked') THEN 1 END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["organisation.id"], name=op.f("fk_application_applicant_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["organisation.id"], name=op.f("fk_application_publisher_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("number", name=op.f("uq_application_number")),
    )
    op.create_index(
        op.f("ix_application_desk_applied_on_id"), "application", ["desk", "applied_on", "id"], unique=False
    )
    op.create_index(op.f("ix_application_desk_id"), "application", ["desk", "id"], unique=False)
    op.create_index(
        op.f("ix_application_desk_publisher_name_id"), "application", ["desk", "publisher_name", "id"], unique=False
    )
    op.create_index(
        op.f("ix_application_desk_status_applied_on_id"),
        "application",
        ["desk", "status", "applied_on", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_application_desk_status_id"), "application", ["desk", "status", "id"], unique=False)
    op.create_index(
        op.f("ix_application_desk_status_submitted_at"), "application", ["desk", "status", "submitted_at"], unique=False
    )
    op.create_index(op.f("ix_application_desk_title_id"), "application", ["desk", "title", "id"], unique=False)
    op.create_index(
        op.f("ix_application_issued_applied_on_id"), "application", ["issued", "applied_on", "id"], unique=False
    )
    op.create_index(op.f("ix_application_issued_id"), "application", ["issued", "id"], unique=False)
    op.create_index(
        op.f("ix_application_issued_province_id"), "application", ["issued", "province", "id"], unique=False
    )
    op.create_index(
        op.f("ix_application_issued_publisher_name_id"), "application", ["issued", "publisher_name", "id"], unique=False
    )
    op.create_index(
        op.f("ix_application_issued_status_applied_on_id"),
        "application",
        ["issued", "status", "applied_on", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_application_issued_status_id"), "application", ["issued", "status", "id"], unique=False)
    op.create_index(op.f("ix_application_issued_title_id"), "application", ["issued", "title", "id"], unique=False)
    op.create_index(
        op.f("ix_application_owner_id_applied_on_id"), "application", ["owner_id", "applied_on", "id"], unique=False
    )
    op.create_index(op.f("ix_application_owner_id_id"), "application", ["owner_id", "id"], unique=False)
    op.create_index(
        op.f("ix_application_owner_id_publisher_name_id"),
        "application",
        ["owner_id", "publisher_name", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_application_owner_id_status_applied_on_id"),
        "application",
        ["owner_id", "status", "applied_on", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_application_owner_id_status_id"), "application", ["owner_id", "status", "id"], unique=False
    )
    op.create_index(op.f("ix_application_owner_id_title_id"), "application", ["owner_id", "title", "id"], unique=False)
    op.create_table(
        "entrustment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["organisation.id"], name=op.f("fk_entrustment_agent_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["organisation.id"], name=op.f("fk_entrustment_publisher_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrustment")),
    )
    op.create_index(op.f("ix_entrustment_agent_id"), "entrustment", ["agent_id"], unique=False)
    op.create_index(op.f("ix_entrustment_publisher_id"), "entrustment", ["publisher_id"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_attachment_application_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["account.id"], name=op.f("fk_attachment_uploaded_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_application_id"), "attachment", ["application_id"], unique=False)
    op.create_index(op.f("ix_attachment_digest"), "attachment", ["digest"], unique=False)
    op.create_table(
        "carrier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("specification", sa.String(length=255), nullable=False),
        sa.Column("quantity", sa.Numeric(24, 5).with_variant(sa.String(32), "sqlite"), nullable=False),
        sa.Column("unit", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("catalogue_number", sa.String(length=100), nullable=True),
        sa.Column("unit_price", sa.Numeric(24, 5).with_variant(sa.String(32), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_carrier_application_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier")),
    )
    op.create_index(op.f("ix_carrier_application_id"), "carrier", ["application_id"], unique=False)
    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("authority", sa.String(length=50), nullable=False),
        sa.Column("signer", sa.String(length=50), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_certificate_application_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("application_id", name=op.f("uq_certificate_application_id")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
    )
    op.create_index(op.f("ix_certificate_application_id"), "certificate", ["application_id"], unique=False)
    op.create_table(
        "trail_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(32), nullable=True),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("before", sa.String(32), nullable=True),
        sa.Column("after", sa.String(32), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account.id"], name=op.f("fk_trail_entry_actor_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_trail_entry_application_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail_entry")),
        sa.UniqueConstraint("seal", name=op.f("uq_trail_entry_seal")),
    )
    op.create_index(op.f("ix_trail_entry_application_id"), "trail_entry", ["application_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_visit_account_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_visit_token_hash")),
    )
    op.create_index(op.f("ix_visit_account_id"), "visit", ["account_id"], unique=False)
    op.create_table(
        "customs_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_customs_message_application_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_customs_message_certificate_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customs_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_customs_message_message_id")),
    )
    op.create_index(op.f("ix_customs_message_application_id"), "customs_message", ["application_id"], unique=False)
    op.create_index(op.f("ix_customs_message_certificate_id"), "customs_message", ["certificate_id"], unique=False)
    op.create_index(
        op.f("ix_customs_message_next_at_id"),
        "customs_message",
        ["next_at", "id"],
        unique=False,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        op.f("ix_customs_message_next_at_id"),
        table_name="customs_message",
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.drop_index(op.f("ix_customs_message_certificate_id"), table_name="customs_message")
    op.drop_index(op.f("ix_customs_message_application_id"), table_name="customs_message")
    op.drop_table("customs_message")
    op.drop_index(op.f("ix_visit_account_id"), table_name="visit")
    op.drop_table("visit")
    op.drop_index(op.f("ix_trail_entry_application_id"), table_name="trail_entry")
    op.drop_table("trail_entry")
    op.drop_index(op.f("ix_certificate_application_id"), table_name="certificate")
    op.drop_table("certificate")
    op.drop_index(op.f("ix_carrier_application_id"), table_name="carrier")
    op.drop_table("carrier")
    op.drop_index(op.f("ix_attachment_digest"), table_name="attachment")
    op.drop_index(op.f("ix_attachment_application_id"), table_name="attachment")
    op.drop_table("attachment")
    op.drop_index(op.f("ix_entrustment_publisher_id"), table_name="entrustment")
    op.drop_index(op.f("ix_entrustment_agent_id"), table_name="entrustment")
    op.drop_table("entrustment")
    op.drop_index(op.f("ix_application_owner_id_title_id"), table_name="application")
    op.drop_index(op.f("ix_application_owner_id_status_id"), table_name="application")
    op.drop_index(op.f("ix_application_owner_id_status_applied_on_id"), table_name="application")
    op.drop_index(op.f("ix_application_owner_id_publisher_name_id"), table_name="application")
    op.drop_index(op.f("ix_application_owner_id_id"), table_name="application")
    op.drop_index(op.f("ix_application_owner_id_applied_on_id"), table_name="application")
    op.drop_index(op.f("ix_application_issued_title_id"), table_name="application")
    op.drop_index(op.f("ix_application_issued_status_id"), table_name="application")
    op.drop_index(op.f("ix_application_issued_status_applied_on_id"), table_name="application")
    op.drop_index(op.f("ix_application_issued_publisher_name_id"), table_name="application")
    op.drop_index(op.f("ix_application_issued_province_id"), table_name="application")
    op.drop_index(op.f("ix_application_issued_id"), table_name="application")
    op.drop_index(op.f("ix_application_issued_applied_on_id"), table_name="application")
    op.drop_index(op.f("ix_application_desk_title_id"), table_name="application")
    op.drop_index(op.f("ix_application_desk_status_submitted_at"), table_name="application")
    op.drop_index(op.f("ix_application_desk_status_id"), table_name="application")
    op.drop_index(op.f("ix_application_desk_status_applied_on_id"), table_name="application")
    op.drop_index(op.f("ix_application_desk_publisher_name_id"), table_name="application")
    op.drop_index(op.f("ix_application_desk_id"), table_name="application")
    op.drop_index(op.f("ix_application_desk_applied_on_id"), table_name="application")
    op.drop_table("application")
    op.drop_table("account")
    op.drop_table("spent_challenge")
    op.drop_table("serial")
    op.drop_table("organisation")
    op.drop_table("district")
