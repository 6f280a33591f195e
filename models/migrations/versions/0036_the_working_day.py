"""`account.email_new`: address to be confirmed; `mail_letter.purpose`; indexes for fields that are rarely queried."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

COLUMNS = (
    ("account", sa.Column("email_new", sa.String(254), nullable=True)),
    ("account", sa.Column("email_asked_at", sa.DateTime(timezone=True), nullable=True)),
    ("account", sa.Column("email_tries", sa.Integer(), server_default="0", nullable=False)),
    ("mail_letter", sa.Column("purpose", sa.String(32), nullable=True)),
    ("mail_letter", sa.Column("recipient", sa.String(254), nullable=True)),
)
INDEXES = (
    *(("application", [scope, column, "id"]) for scope in ("desk", "issued") for column in ("publisher_code", "country")),
    ("carrier", ["kind", "application_id"]),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    for table, columns in INDEXES:
        op.create_index(op.f("_".join(["ix", table, *columns])), table, columns)


def downgrade() -> None:
    op.execute("DELETE FROM mail_letter WHERE purpose IS NOT NULL")  # the former schema cannot say what these letters are about
    for table, columns in reversed(INDEXES):
        op.drop_index(op.f("_".join(["ix", table, *columns])), table)
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
