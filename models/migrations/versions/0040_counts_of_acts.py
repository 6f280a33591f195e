"""`act_count` and `uncounted_act`, which 统计 adds up. All present acts are entered as uncounted; a worker counts them."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

ACTS = "('grant', 'decline', 'refuse', 'revoke')"
KEY = {"dimension": 32, "period": 9, "scope": 6, "key": 20, "act": 32, "measure": 32, "detail": 8}


def upgrade() -> None:
    op.create_table(
        "act_count",
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in KEY.items()),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fraction", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_act_count")),
        sqlite_with_rowid=False,
    )
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "uncounted_act",
        sa.Column("entry_id", big, autoincrement=False, nullable=False),
        sa.Column("application_id", big, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_uncounted_act_{column}"), ondelete="RESTRICT"
            )
            for column, table in (("entry_id", "trail_entry"), ("application_id", "application"))
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_uncounted_act")),
    )
    op.create_index(op.f("ix_uncounted_act_application_id"), "uncounted_act", ["application_id"])
    op.execute(
        "INSERT INTO uncounted_act (entry_id, application_id)"
        f" SELECT id, application_id FROM trail_entry WHERE act IN {ACTS} ORDER BY id"
    )


def downgrade() -> None:
    op.drop_table("uncounted_act")
    op.drop_table("act_count")
