"""Deadlines: the working-day calendar, settings of the provinces with their trail, due dates of pending applications.

Calendar, settings and due dates themselves are filled by `upgrade`, after the steps (models/deadlines: prepare).
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0014"

SUBMISSIONS = """UPDATE application SET submissions = (SELECT count(*) FROM trail_entry
  WHERE trail_entry.application_id = application.id AND trail_entry.act = 'submit')"""


def upgrade() -> None:
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sa.UniqueConstraint("day", name=op.f("uq_calendar_day_day")),
    )
    op.create_table(
        "calendar_year",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(160), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_year")),
        sa.UniqueConstraint("year", name=op.f("uq_calendar_year_year")),
    )
    op.create_table(
        "province_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("province", sa.String(6), nullable=False),
        sa.Column("accept_days", sa.Integer(), server_default="5", nullable=False),
        sa.Column("decide_days", sa.Integer(), server_default="20", nullable=False),
        sa.Column("extend_days", sa.Integer(), server_default="10", nullable=False),
        sa.Column("withdrawal_allowed", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_province_settings")),
        sa.UniqueConstraint("province", name=op.f("uq_province_settings_province")),
    )
    op.create_table(
        "province_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("province", sa.String(6), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(160), nullable=False),
        sa.Column("setting", sa.String(32), nullable=False),
        sa.Column("before", sa.String(200), nullable=False),
        sa.Column("after", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account.id"], name=op.f("fk_province_change_actor_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_province_change")),
    )
    op.create_index(op.f("ix_province_change_province_id"), "province_change", ["province", "id"])
    op.add_column("application", sa.Column("submissions", sa.Integer(), server_default="0", nullable=False))
    op.add_column("application", sa.Column("due_on", sa.Date(), nullable=True))
    op.execute(SUBMISSIONS)
    op.create_index(
        op.f("ix_application_desk_status_due_on_id"), "application", ["desk", "status", "due_on", "id"]
    )
    op.create_index(
        op.f("ix_application_desk_status_submissions"), "application", ["desk", "status", "submissions"]
    )
    op.create_index(op.f("ix_trail_entry_act_at"), "trail_entry", ["act", "at"])
    op.create_index(op.f("ix_certificate_issued_on"), "certificate", ["issued_on"])


def downgrade() -> None:
    op.drop_index(op.f("ix_certificate_issued_on"), "certificate")
    op.drop_index(op.f("ix_trail_entry_act_at"), "trail_entry")
    op.drop_index(op.f("ix_application_desk_status_submissions"), "application")
    op.drop_index(op.f("ix_application_desk_status_due_on_id"), "application")
    op.drop_column("application", "due_on")
    op.drop_column("application", "submissions")
    op.drop_table("province_change")
    op.drop_table("province_settings")
    op.drop_table("calendar_year")
    op.drop_table("calendar_day")
