"""Which store belongs to this database: both hold the same identity, so that an empty or foreign store is noticed.

A disk that is not mounted looks like an empty folder. Without this, uploads would go into it and be lost.
"""

import secrets
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.application.attachments import Attachment, Store
from models.certificate import Paper
from models.clock import Moment
from models.database import Base
from models.files.store_errors import gone
from models.workflow import Refused

ONLY = 1  # the one row


class RegisteredStore(Base):
    """The identity of our store, and what the last `sweep --check` found: `missing` files, None before the first."""

    __tablename__ = "registered_store"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    identity: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Moment)
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    missing: Mapped[int | None]


def identity(session: Session) -> str | None:
    """The identity of the store that belongs to this database; None as long as none was registered."""
    with session.no_autoflush:
        return session.scalar(select(RegisteredStore.identity).where(RegisteredStore.id == ONLY))


def new_identity() -> str:
    """32 hex digits."""
    return secrets.token_hex(16)


def establish(session: Session, store: Store) -> None:
    """Register the store with this database at the first start: its file first, then the row. Commits.

    Raises StoreUnusable when another store is registered, or none answers; Refused when the store belongs to another
    register, whose files a sweep would take for nobody's.
    """
    known = identity(session)
    there = store.identity()
    if known is None:
        if there is not None and not _has_files(session) and next(store.kept(), None) is not None:
            raise Refused(_("存储中已有另一个登记库的文件。请恢复该登记库的备份，或改用空的存储。"))
        there = there or store.set_identity(new_identity())
        session.add(RegisteredStore(id=ONLY, identity=there, created_at=clock.now()))
        try:
            session.commit()
        except IntegrityError:  # another process was first
            session.rollback()
        known = identity(session)
    session.rollback()
    if there != known:
        raise gone()


def _has_files(session: Session) -> bool:
    """Whether a row names kept bytes."""
    return any(session.scalar(select(each.id).limit(1)) for each in (Attachment, Paper))


def note_check(session: Session, missing: int) -> None:
    """Record what `sweep --check` found; commits."""
    row = session.get(RegisteredStore, ONLY)
    if row is not None:
        row.checked_at, row.missing = clock.now(), missing
    session.commit()


def last_check(session: Session) -> tuple[datetime, int] | None:
    """When the store was last compared with the register, and how many files were missing."""
    row = session.get(RegisteredStore, ONLY)
    return (row.checked_at, row.missing or 0) if row is not None and row.checked_at else None
