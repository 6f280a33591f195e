"""SHA-256 of the content of an application, as the database has it: fields, carriers and files (also removed ones).

The trail entry of 申报, and of every edit and file after it, carries this digest. Empty values are left out, so that a
new column changes no older digest; a migration that rewrites content, or drops a column, makes older ones differ.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models.application import Application
from models.application.attachments import Attachment
from models.application.carriers import Carrier
from models.vocabulary import Word

UNLABELLED = (  # columns of an application that are in no form, but belong to the submitted content
    "applicant_id", "publisher_id", "publisher_code", "province", "replaces_id", "copied_from", "created_at",
    "submitted_at",
)  # fmt: skip
FILE = ("kind", "name", "media_type", "size", "digest", "uploaded_at", "uploaded_by", "removed_at")
BATCH = 1000  # rows in memory at a time


def fields() -> list[Any]:
    """The columns of an application that the digest covers."""
    columns = Application.__table__.columns
    return [column for column in columns if column.info.get("by") or column.key in UNLABELLED]


def of_one(session: Session, application_id: int) -> str:
    """The digest of one application, read from the database: rows that the session holds may be stale. Flushes."""
    session.flush()
    return dict(_digests(session, application_id))[application_id]


def of_all(session: Session) -> Iterator[tuple[int, str]]:
    """(application id, digest) of every application, by id; few rows are in memory."""
    return _digests(session, None)


def _digests(session: Session, key: int | None) -> Iterator[tuple[int, str]]:
    carriers = [getattr(Carrier, column.key) for column in Carrier.__table__.columns if column.info.get("label")]
    files = [getattr(Attachment, name) for name in FILE]
    children = [
        GroupedRows(_rows(session, key, Carrier.application_id, carriers, Carrier.position, Carrier.id)),
        GroupedRows(_rows(session, key, Attachment.application_id, files, Attachment.id)),
    ]
    own = [getattr(Application, column.key) for column in fields()]
    for row in _rows(session, key, Application.id, own):
        digest = hashlib.sha256(_line(row))
        for number, group in enumerate(children):
            for child in group.of(row.key):
                digest.update(b"%d" % number + _line(child))
        yield row.key, digest.hexdigest()


def _rows(session: Session, key: int | None, owner: Any, columns: list[Any], *order: Any) -> Iterator[Row[Any]]:
    """`columns`, and the application's id as `key`, by application."""
    rows = select(owner.label("key"), *columns).order_by(owner, *order)
    if key is None:
        return iter(session.execute(rows.execution_options(yield_per=BATCH)))
    return iter(session.execute(rows.where(owner == key)))


class GroupedRows:
    """Rows sorted by `key`, read in groups of one key; only one row is in memory."""

    def __init__(self, rows: Iterator[Row[Any]]) -> None:
        self.groups = groupby(rows, lambda row: row.key)
        self.next = next(self.groups, None)

    def of(self, key: int) -> Iterator[Row[Any]]:
        """The rows of this key, which must be higher than those asked for before."""
        while self.next is not None and self.next[0] < key:
            self.next = next(self.groups, None)
        if self.next is not None and self.next[0] == key:
            yield from self.next[1]


def _line(row: Row[Any]) -> bytes:
    return canonical(row._mapping) + b"\n"


def canonical(values: Any) -> bytes:
    """A mapping as JSON, the same on both databases and in every time zone; empty values are left out."""
    texts = {name: _plain(value) for name, value in values.items() if value not in (None, "")}
    return json.dumps(texts, ensure_ascii=False, sort_keys=True).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, (Decimal, date, Word)) else value
