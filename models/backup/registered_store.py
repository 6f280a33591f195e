"""Pairs the database with its store: both hold the same identity, so that an empty or foreign store is detected.

An unmounted disk looks like an empty folder; without this check uploads would be written into it and lost.
"""

import secrets
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.application.attachments import Store
from models.backup import FILE_COLUMNS
from models.clock import Moment
from models.database import Base
from models.files.store_errors import store_missing
from models.workflow import Refused

ONLY = 1  # id of the only row


class RegisteredStore(Base):
    """Identity of the store, and the result of the last `sweep --check`: number of `missing` files, None before it."""

    __tablename__ = "registered_store"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    identity: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Moment)
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    missing: Mapped[int | None]


def identity(session: Session) -> str | None:
    """The identity of the registered store; None before registration."""
    with session.no_autoflush:
        return session.scalar(select(RegisteredStore.identity).where(RegisteredStore.id == ONLY))


def new_identity() -> str:
    """32 hex digits."""
    return secrets.token_hex(16)


def register(session: Session, store: Store) -> None:
    """Register the store with this database, once: identity file first, then the row. Commits.

    Raises StoreUnusable when another store is registered or the store is unreachable; Refused when it holds files of
    another database, which a sweep would delete as orphans.
    """
    known = identity(session)
    there = store.identity()
    if known is None and there is not None and not _has_files(session) and next(store.digests(), None) is not None:
        session.rollback()  # another process may have registered it, and stored files, since this transaction began
        known = identity(session)
        if known is None:
            raise Refused(_("存储中已有另一个登记库的文件。请恢复该登记库的备份，或改用空的存储。"))
    if known is None:
        there = there or store.set_identity(new_identity())
        session.add(RegisteredStore(id=ONLY, identity=there, created_at=clock.now()))
        try:
            session.commit()
        except IntegrityError:  # another process was first
            session.rollback()
        known = identity(session)
    session.rollback()
    if there != known:
        raise store_missing()


def _has_files(session: Session) -> bool:
    """Whether the database refers to any file."""
    return any(session.scalar(select(digest).limit(1)) for digest, _name in FILE_COLUMNS)


def record_check(session: Session, missing: int) -> None:
    """Record the number of missing files that `sweep --check` found. Commits."""
    row = session.get(RegisteredStore, ONLY)
    if row is not None:
        row.checked_at, row.missing = clock.now(), missing
    session.commit()


def last_check(session: Session) -> tuple[datetime, int] | None:
    """(time, number of missing files) of the last `sweep --check`, or None."""
    row = session.get(RegisteredStore, ONLY)
    return (row.checked_at, row.missing or 0) if row is not None and row.checked_at else None
