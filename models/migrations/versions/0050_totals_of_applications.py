"""进口数量 of an application by unit, and in 张, stored with it; filled from the carriers of those from before.

In batches; in the SQL of neither database, for SQLite sums no exact decimals. Before, `copied_from`, the id of an
application that 0039 had left out, becomes BIGINT on PostgreSQL, which writes the table and its indexes anew.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

BATCH = 5000  # applications
SHEETS = "010"
INDEXES = [(scope, *status, "sheets", "id") for scope in ("owner_id", "desk", "issued") for status in ((), ("status_order",))]
TOTALS = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
APPLICATION = sa.table("application", sa.column("id"), sa.column("totals", TOTALS), sa.column("sheets"))
CARRIER = sa.table("carrier", *(sa.column(name) for name in ("application_id", "unit", "quantity")))


def upgrade() -> None:
    _alter_copied_from("BIGINT")
    op.add_column("application", sa.Column("totals", TOTALS, nullable=True))
    op.add_column("application", sa.Column("sheets", sa.Double(), nullable=True))
    _fill()
    for columns in INDEXES:
        op.create_index(op.f(f"ix_application_{'_'.join(columns)}"), "application", list(columns))


def downgrade() -> None:
    for columns in INDEXES:
        op.drop_index(op.f(f"ix_application_{'_'.join(columns)}"), "application")
    op.drop_column("application", "sheets")
    op.drop_column("application", "totals")
    _alter_copied_from("INTEGER")


def _alter_copied_from(kind: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE application ALTER COLUMN copied_from TYPE {kind}")


def _fill() -> None:
    connection, last = op.get_bind(), 0
    change = sa.update(APPLICATION).where(APPLICATION.c.id == sa.bindparam("key"))
    change = change.values(totals=sa.bindparam("sums", type_=TOTALS), sheets=sa.bindparam("discs"))
    following = sa.select(APPLICATION.c.id).order_by(APPLICATION.c.id).limit(BATCH)
    while keys := connection.scalars(following.where(APPLICATION.c.id > last)).all():
        carriers: dict[int, list[Any]] = defaultdict(list)
        for row in connection.execute(sa.select(CARRIER).where(CARRIER.c.application_id.between(keys[0], keys[-1]))):
            carriers[row.application_id].append(row)
        if rows := [{"key": key} | sums for key, found in carriers.items() if (sums := _sums(found))]:
            connection.execute(change, rows)
        last = keys[-1]


def _sums(carriers: list[Any]) -> dict[str, Any]:
    """The totals of complete carriers; {} while a quantity or unit is missing."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in carriers:
        if row.unit is None or row.quantity is None:
            return {}
        sums[row.unit] += Decimal(row.quantity)
    texts = {unit: _plain(total) for unit, total in sorted(sums.items())}
    return {"sums": texts, "discs": float(sums[SHEETS])}


def _plain(total: Decimal) -> str:
    """1000.00000 → 1000, 0.50 → 0.5."""
    whole = total == total.to_integral_value()
    return f"{total.quantize(Decimal(1)) if whole else total.normalize():f}"
