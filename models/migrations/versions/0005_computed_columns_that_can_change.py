"""SQLite: computed columns are virtual, not stored: only a virtual one can be added again when its rule changes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

STORED = 3  # «hidden» in PRAGMA table_xinfo; 2: virtual
COLUMNS = {
    "owner_id": (sa.Integer(), "CASE WHEN deleted_at IS NULL THEN applicant_id END"),
    "desk": (sa.String(length=6), "CASE WHEN status NOT IN ('draft') THEN province END"),
    "issued": (
        sa.Integer(),
        "CASE WHEN status IN ('filed', 'customs_received', 'customs_failed', 'revoked') THEN 1 END",
    ),
}


def upgrade() -> None:
    """Only where needed: a database that this release has created has virtual columns already."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    rows = connection.execute(sa.text("PRAGMA table_xinfo(application)")).mappings()
    stored = [row["name"] for row in rows if row["hidden"] == STORED]
    found = sa.inspect(connection).get_indexes("application")
    indexes = [index for index in found if set(stored) & set(index["column_names"])]
    for index in indexes:
        op.drop_index(index["name"], table_name="application")
    for name in stored:
        kind, words = COLUMNS[name]
        op.drop_column("application", name)
        op.add_column("application", sa.Column(name, kind, sa.Computed(words, persisted=True), nullable=True))
    for index in indexes:
        op.create_index(index["name"], "application", index["column_names"], unique=False)


def downgrade() -> None:
    """No change: release 0004 reads virtual columns as well."""
