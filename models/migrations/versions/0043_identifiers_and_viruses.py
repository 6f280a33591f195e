"""A certificate keeps its 电子证照标识, which was computed from the settings whenever it was shown.

Certificates issued before get the one that the present settings compute, or none. A file may be scanned for viruses
after its upload: the result is stored.
"""

import sqlalchemy as sa
from alembic import op
from flask import current_app
from stdnum.iso7064 import mod_37_36

revision = "0043"
down_revision = "0042"

INDEXES = {"ix_attachment_unscanned": "scanned_at IS NULL", "ix_attachment_infected": "virus IS NOT NULL"}


def upgrade() -> None:
    op.add_column("certificate", sa.Column("identifier", sa.String(length=100), nullable=True))
    op.add_column("attachment", sa.Column("virus", sa.String(length=60), nullable=True))
    for name, rule in INDEXES.items():
        where = sa.text(rule)
        op.create_index(name, "attachment", ["id"], sqlite_where=where, postgresql_where=where)
    kind, issuers = current_app.config["LICENCE_TYPE"], current_app.config["LICENCE_ISSUERS"]
    if not kind or not issuers:
        return
    connection, table = op.get_bind(), sa.table("certificate", *map(sa.column, ("id", "number", "identifier")))
    for province, issuer in issuers.items():
        of_province = sa.select(table.c.id, table.c.number).where(table.c.number.startswith(f"Z{province[:2]}"))
        rows = [
            {"key": key, "given": _identifier(kind, issuer, number)}
            for key, number in connection.execute(of_province).all()
        ]
        change = sa.update(table).where(table.c.id == sa.bindparam("key")).values(identifier=sa.bindparam("given"))
        if rows:
            connection.execute(change, rows)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="attachment")
    op.drop_column("attachment", "virus")
    op.drop_column("certificate", "identifier")


def _identifier(kind: str, issuer: str, number: str) -> str:
    """As models/certificate/licence_identifier.py had it at the time of this step."""
    parts = (kind, issuer, number, "001")
    return ".".join(("1.2.156.3005.2", *parts, mod_37_36.calc_check_digit("".join(parts))))
