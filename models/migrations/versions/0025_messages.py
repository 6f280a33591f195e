"""Messages to people, announcements with their trail, the queue of e-mails, and secret addresses of calendars; an
account's address and wish."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

UNREAD, UNSENT = sa.text("read_at IS NULL"), sa.text("sent_at IS NULL")


def upgrade() -> None:
    op.add_column("account", sa.Column("email", sa.String(254), nullable=True))
    op.add_column("account", sa.Column("mail_wish", sa.String(32), server_default="none", nullable=False))
    for column in ("organisation_id", "province"):
        op.create_index(op.f(f"ix_account_{column}"), "account", [column])
    op.create_table(
        "announcement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("roles", sa.String(200), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    op.create_table(
        "announcement_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(160), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        refers("announcement_change", "announcement_id", "announcement"),
        refers("announcement_change", "actor_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement_change")),
    )
    op.create_index(op.f("ix_announcement_change_announcement_id"), "announcement_change", ["announcement_id"])
    op.create_table(
        "notification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.Column("announcement_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(300), nullable=True),
        *(refers("notification", f"{name}_id", name) for name in ("account", "application", "announcement", "organisation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_notification_account_id_key")),
    )
    op.create_index(op.f("ix_notification_account_id_at_id"), "notification", ["account_id", "at", "id"])
    op.create_index("ix_notification_unread", "notification", ["account_id"], sqlite_where=UNREAD, postgresql_where=UNREAD)
    for column in ("application_id", "announcement_id"):
        op.create_index(op.f(f"ix_notification_{column}"), "notification", [column])
    op.create_table(
        "mail_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("notification_id", sa.Integer(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), server_default="0", nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        refers("mail_letter", "account_id", "account"),
        refers("mail_letter", "notification_id", "notification"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_letter")),
        sa.UniqueConstraint("account_id", "day", name=op.f("uq_mail_letter_account_id_day")),
        sa.UniqueConstraint("notification_id", name=op.f("uq_mail_letter_notification_id")),
    )
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        refers("calendar_feed", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("account_id", name=op.f("uq_calendar_feed_account_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_index(op.f("ix_mail_letter_queued_at"), "mail_letter", ["queued_at"])
    op.create_index(
        op.f("ix_mail_letter_next_at_id"), "mail_letter", ["next_at", "id"], sqlite_where=UNSENT, postgresql_where=UNSENT
    )


def refers(table: str, column: str, other: str, then: str = "RESTRICT") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=then)


def downgrade() -> None:
    for table in ("calendar_feed", "mail_letter", "notification", "announcement_change", "announcement"):
        op.drop_table(table)
    for column in ("province", "organisation_id"):
        op.drop_index(op.f(f"ix_account_{column}"), "account")
    op.drop_column("account", "mail_wish")
    op.drop_column("account", "email")
