"""`known_virus`: contents in which a virus was found; the log has an entry for each content that was scanned later on.

Later means more than a minute after its upload. Files marked before this step get their entries now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"

LATER = {
    "sqlite": "julianday(scanned_at) > julianday(uploaded_at) + 1.0 / 1440",
    "postgresql": "scanned_at > uploaded_at + interval '1 minute'",
}


def upgrade() -> None:
    op.create_table(
        "known_virus",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("virus", sa.String(length=60), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_known_virus")),
    )
    op.execute(
        "INSERT INTO known_virus (digest, virus, found_at)"
        " SELECT digest, min(virus), min(scanned_at) FROM attachment WHERE virus IS NOT NULL GROUP BY digest"
    )
    op.execute(
        "UPDATE attachment SET virus = (SELECT virus FROM known_virus WHERE digest = attachment.digest),"
        " scanned_at = coalesce(scanned_at, (SELECT found_at FROM known_virus WHERE digest = attachment.digest))"
        " WHERE virus IS NULL AND digest IN (SELECT digest FROM known_virus)"
    )
    op.execute(
        "INSERT INTO log_entry (at, log, kind, username, name, address, program, about, words)"
        " SELECT min(scanned_at), 'operations', 'file_scanned', '', '', '', '', digest, coalesce(min(virus), '没有问题')"
        f" FROM attachment WHERE virus IS NOT NULL OR ({LATER[op.get_bind().dialect.name]})"
        " GROUP BY digest ORDER BY min(id)"
    )


def downgrade() -> None:
    op.drop_table("known_virus")
