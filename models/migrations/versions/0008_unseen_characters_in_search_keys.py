"""Search keys without invisible characters: 探戈U+200B精选 is found by 探戈精选. Only keys change, not the texts."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BATCH = 5000  # rows

UNSEEN = re.compile(  # models.text.INVISIBLE as it was at this step
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)


def upgrade() -> None:
    _rewrite(lambda title: _folded(UNSEEN.sub("", title)))


def downgrade() -> None:
    _rewrite(_folded)


def _folded(title: str) -> str:
    return unicodedata.normalize("NFKC", title).casefold()[:600]


def _rewrite(key_of) -> None:
    row = sa.table("application", sa.column("id"), sa.column("title"), sa.column("title_key"))
    connection, last = op.get_bind(), 0
    change = sa.update(row).where(row.c.id == sa.bindparam("key")).values(title_key=sa.bindparam("words"))
    while True:
        page = sa.select(row).where(row.c.id > last).order_by(row.c.id).limit(BATCH)
        found = connection.execute(page).all()
        if not found:
            return
        last = found[-1].id
        stale = [(key, words) for key, title, old in found if title and (words := key_of(title)) != old]
        if stale:
            connection.execute(change, [{"key": key, "words": words} for key, words in stale])
