"""Messages and queries to customs, receipts as received, the outcome of each attempt, comparisons of both ledgers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "customs_receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("strange", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customs_receipt")),
        sa.UniqueConstraint("digest", name=op.f("uq_customs_receipt_digest")),
    )
    op.create_index(op.f("ix_customs_receipt_read_at"), "customs_receipt", ["read_at"], unique=False)
    op.create_index(op.f("ix_customs_receipt_strange"), "customs_receipt", ["strange"], unique=False)
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("ours", sa.Integer(), nullable=False),
        sa.Column("theirs", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_table(
        "customs_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customs_message_id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_customs_note_application_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["customs_message_id"],
            ["customs_message.id"],
            name=op.f("fk_customs_note_customs_message_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["customs_receipt.id"], name=op.f("fk_customs_note_receipt_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customs_note")),
        sa.UniqueConstraint("receipt_id", "place", name=op.f("uq_customs_note_receipt_id_place")),
    )
    op.create_index(op.f("ix_customs_note_application_id"), "customs_note", ["application_id"], unique=False)
    op.create_index(op.f("ix_customs_note_customs_message_id"), "customs_note", ["customs_message_id"], unique=False)
    op.create_table(
        "customs_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customs_message_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asks", sa.Boolean(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_customs_letter_application_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["customs_message_id"],
            ["customs_message.id"],
            name=op.f("fk_customs_letter_customs_message_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customs_letter")),
        sa.UniqueConstraint(
            "customs_message_id", "attempt", name=op.f("uq_customs_letter_customs_message_id_attempt")
        ),
    )
    op.create_index(op.f("ix_customs_letter_application_id"), "customs_letter", ["application_id"], unique=False)
    op.create_index(op.f("ix_customs_letter_at"), "customs_letter", ["at"], unique=False)
    op.add_column("customs_message", sa.Column("released", sa.Integer(), server_default="0", nullable=False))
    op.add_column("customs_message", sa.Column("sent_in", sa.Integer(), nullable=True))
    op.add_column("customs_message", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("customs_message", sa.Column("faults", sa.Integer(), server_default="0", nullable=False))
    op.add_column("customs_message", sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_customs_message_queued_at"), "customs_message", ["queued_at"], unique=False)
    # Messages with an earlier attempt are queried, not sent again.
    op.execute("UPDATE customs_message SET sent_in = attempts, sent_at = queued_at WHERE attempts > 0")


def downgrade() -> None:
    op.drop_index(op.f("ix_customs_message_queued_at"), table_name="customs_message")
    for name in ("set_aside_at", "faults", "sent_at", "sent_in", "released"):
        op.drop_column("customs_message", name)
    op.drop_index(op.f("ix_customs_letter_at"), table_name="customs_letter")
    op.drop_index(op.f("ix_customs_letter_application_id"), table_name="customs_letter")
    op.drop_table("customs_letter")
    op.drop_index(op.f("ix_customs_note_customs_message_id"), table_name="customs_note")
    op.drop_index(op.f("ix_customs_note_application_id"), table_name="customs_note")
    op.drop_table("customs_note")
    op.drop_table("reconciliation")
    op.drop_index(op.f("ix_customs_receipt_strange"), table_name="customs_receipt")
    op.drop_index(op.f("ix_customs_receipt_read_at"), table_name="customs_receipt")
    op.drop_table("customs_receipt")
