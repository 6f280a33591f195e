"""Messages to customs have the column of their province; indexes for prefixes of numbers, for publishers of a province,
and for the lists of 数据交换."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

APPLICATION = (
    *(f"{scope} number id" for scope in ("owner_id", "desk", "issued")),
    "issued province publisher_sort id",
)
MESSAGE = ("desk id", "desk queued_at id", "desk message_id id")
OPEN = sa.text("answered_at IS NULL")
REJECTED = {"sqlite_where": sa.text("accepted IS 0"), "postgresql_where": sa.text("accepted IS false")}


def upgrade() -> None:
    op.add_column("customs_message", sa.Column("desk", sa.String(6), nullable=False, server_default=""))
    op.execute(
        "UPDATE customs_message SET desk ="
        " (SELECT coalesce(province, '') FROM application WHERE application.id = customs_message.application_id)"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("customs_message", "desk", server_default=None)
    for table, indexes in (("application", APPLICATION), ("customs_message", MESSAGE)):
        for columns in map(str.split, indexes):
            op.create_index(_name(table, columns), table, columns)
    op.create_index(
        "ix_customs_message_open", "customs_message", ["desk", "queued_at", "id"], sqlite_where=OPEN,
        postgresql_where=OPEN,
    )  # fmt: skip
    op.create_index("ix_customs_message_rejected", "customs_message", ["desk", "id"], **REJECTED)
    op.create_index("ix_customs_message_act_rejected", "customs_message", ["act", "id"], **REJECTED)


def downgrade() -> None:
    for name in ("act_rejected", "rejected", "open"):
        op.drop_index(f"ix_customs_message_{name}", "customs_message")
    for table, indexes in (("customs_message", MESSAGE), ("application", APPLICATION)):
        for columns in map(str.split, indexes):
            op.drop_index(_name(table, columns), table)
    op.drop_column("customs_message", "desk")


def _name(table: str, columns: list[str]) -> str:
    return op.f(f"ix_{table}_{'_'.join(columns)}")
