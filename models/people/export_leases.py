"""Lease in the database: at most one 导出 of a person at a time, over all processes and machines.

It is renewed while rows are read, and expires when the process dies. An advisory lock of PostgreSQL would need its own
connection until the export ends, which PgBouncer in transaction mode does not give; a file lock covers one machine.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import NO_SYNC, Base, is_sqlite

LEASE = timedelta(minutes=2)  # after that the process is assumed dead


class ExportLease(Base):
    """The running export of an account: its `token`, and the end of its lease. Row security: jobs only."""

    __tablename__ = "export_lease"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), primary_key=True)
    token: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime] = mapped_column(Moment)


def claim(session: Session, account_id: int) -> str | None:
    """Claim the lease of this account; returns its token, None while another export holds it. Commits.

    A lease that ends more than two leases from now was written by a clock that was ahead: it counts as expired.
    """
    token, now = secrets.token_hex(16), clock.now()
    values = {"token": token, "until": now + LEASE}
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    ended = or_(ExportLease.until <= now, ExportLease.until > now + 2 * LEASE)
    claiming = insert(ExportLease).values(account_id=account_id, **values)
    claiming = claiming.on_conflict_do_update(index_elements=["account_id"], set_=values, where=ended)
    claimed = session.execute(claiming.returning(ExportLease.token)).scalar_one_or_none()
    session.commit()
    return claimed


def renew(session: Session, account_id: int, token: str) -> bool:
    """Extend the lease to LEASE from now; False when it expired and another export has claimed it. Commits."""
    own = update(ExportLease).where(ExportLease.account_id == account_id, ExportLease.token == token)
    renewed = session.execute(own.values(until=clock.now() + LEASE).returning(ExportLease.account_id))
    is_held = renewed.scalar_one_or_none() is not None
    session.commit()
    return is_held


def end(session: Session, account_id: int, token: str) -> None:
    """Release the lease if it still has this token. Commits."""
    own = delete(ExportLease).where(ExportLease.account_id == account_id, ExportLease.token == token)
    session.execute(own, **NO_SYNC)
    session.commit()
