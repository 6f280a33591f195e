"""接办: the lease of a pending case by one reviewer, for some minutes, so that no two work on the same case.

It expires by itself and is renewed while its holder works on the page of the case. No lease is needed to decide.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.application import Application
from models.application.child import Child
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.people.accounts import Account


class CaseLease(Child, Base):
    """Who has taken a case, since when and until when. Row security: the reviewers of its province alone."""

    __tablename__ = "case_lease"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    taken_at: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)

    account: Mapped[Account] = relationship()
    application: Mapped[Application] = relationship()

    __table_args__ = (UniqueConstraint("application_id"),)

    @property
    def runs(self) -> bool:
        return self.until > clock.now()


def running(session: Session) -> dict[int, CaseLease]:
    """The running leases that this session sees, by application id."""
    now = select(CaseLease).where(CaseLease.until > clock.now()).options(joinedload(CaseLease.account))
    return {lease.application_id: lease for lease in session.scalars(now)}


def lock_latest(session: Session, application: Application) -> CaseLease | None:
    """Lock and return the last lease of this case, running or not, read from the database; None: it had none."""
    last = select(CaseLease).where(CaseLease.application_id == application.id)
    return session.scalar(last.with_for_update().execution_options(populate_existing=True))


def begin(session: Session, application: Application, by: Account, minutes: int) -> CaseLease:
    """Add or replace the lease of the case. The caller has locked the application's row, and commits."""
    lease = lock_latest(session, application)
    if lease is None:
        lease = CaseLease(application=application, application_id=application.id)
        session.add(lease)
    lease.account_id = by.id
    lease.taken_at = clock.now().replace(microsecond=0)
    lease.until = lease.taken_at + timedelta(minutes=minutes)
    session.flush()
    session.expire(lease, ["account"])
    return lease


def renew(session: Session, application: Application, by: Account, minutes: int) -> datetime | None:
    """Renew the running lease of `by`; its new end, None when `by` has none. The caller commits."""
    now = clock.now().replace(microsecond=0)
    own = update(CaseLease).where(CaseLease.application_id == application.id, CaseLease.account_id == by.id)
    until, own = now + timedelta(minutes=minutes), own.where(CaseLease.until > now)
    renewed: Any = session.execute(own.values(until=until), **NO_SYNC)
    return until if renewed.rowcount else None


def end(session: Session, application: Application) -> None:
    """Delete the lease of the case, if any. The caller commits."""
    lease = lock_latest(session, application)
    if lease is not None:
        session.delete(lease)
        session.flush()
