"""Lists sorted by pinyin and by status: sort keys of 商品名称 and 出版单位, order of statuses, indexes over them.

Keys are filled in batches: a million rows take some minutes (measured: see the commit). They are made by the present
sort_key(); a step that changes its result has to fill them again.
"""

import sqlalchemy as sa
from alembic import op

from models.application.sort_keys import sort_key

revision = "0007"
down_revision = "0006"

BATCH = 5000  # rows
KEY = sa.String(length=221).with_variant(sa.String(length=221, collation="C"), "postgresql")
ORDER = (
    "CASE status WHEN 'draft' THEN 0 WHEN 'pending' THEN 1 WHEN 'returned' THEN 2 WHEN 'not_accepted' THEN 3"
    " WHEN 'refused' THEN 4 WHEN 'filed' THEN 5 WHEN 'customs_received' THEN 6 WHEN 'customs_failed' THEN 7"
    " WHEN 'revoked' THEN 8 END"
)
SCOPES = ("owner_id", "desk", "issued")
BEFORE = (("status",), ("status", "applied_on"), ("publisher_name",), ("title",))
AFTER = (("status_order",), ("status_order", "applied_on"), ("publisher_sort",), ("title_sort",))


def upgrade() -> None:
    _drop(BEFORE)  # first, so that filling the keys need not keep them up
    op.add_column("application", sa.Column("title_sort", KEY, nullable=True))
    op.add_column("application", sa.Column("publisher_sort", KEY, nullable=True))
    op.add_column(
        "application", sa.Column("status_order", sa.Integer(), sa.Computed(ORDER, persisted=True), nullable=True)
    )
    _fill()
    _create(AFTER)


def downgrade() -> None:
    _drop(AFTER)
    for column in ("status_order", "publisher_sort", "title_sort"):
        op.drop_column("application", column)
    _create(BEFORE)


def _name(columns: tuple[str, ...]) -> str:
    return op.f(f"ix_application_{'_'.join(columns)}")


def _drop(sorts: tuple[tuple[str, ...], ...]) -> None:
    for columns in ((scope, *sort, "id") for scope in SCOPES for sort in sorts):
        op.drop_index(_name(columns), table_name="application")


def _create(sorts: tuple[tuple[str, ...], ...]) -> None:
    for columns in ((scope, *sort, "id") for scope in SCOPES for sort in sorts):
        op.create_index(_name(columns), "application", list(columns), unique=False)


def _fill() -> None:
    row = sa.table("application", *(sa.column(name) for name in ("id", "title", "publisher_name")))
    keys = sa.table("application", *(sa.column(name) for name in ("id", "title_sort", "publisher_sort")))
    change = (
        sa.update(keys)
        .where(keys.c.id == sa.bindparam("key"))
        .values(title_sort=sa.bindparam("title"), publisher_sort=sa.bindparam("publisher"))
    )
    connection, last = op.get_bind(), 0
    while found := connection.execute(sa.select(row).where(row.c.id > last).order_by(row.c.id).limit(BATCH)).all():
        last = found[-1].id
        rows = [
            {"key": key, "title": title and sort_key(title), "publisher": publisher and sort_key(publisher)}
            for key, title, publisher in found
        ]
        connection.execute(change, rows)
