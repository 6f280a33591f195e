"""接办: for some minutes one reviewer has taken a case that waits, so that no two of a province read the same one.

A lease: it ends by itself, and goes on while its holder works on the page of the case. Nobody needs one to decide.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.application import Application
from models.application.child import Child
from models.clock import Moment
from models.database import Base
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
    """Every lease that this session sees and that has not ended, by the id of its application."""
    now = select(CaseLease).where(CaseLease.until > clock.now()).options(joinedload(CaseLease.account))
    return {lease.application_id: lease for lease in session.scalars(now)}


def held(session: Session, application: Application) -> CaseLease | None:
    """The last lease of this case, running or not, as the database has it now; locked until the transaction ends."""
    last = select(CaseLease).where(CaseLease.application_id == application.id)
    return session.scalar(last.with_for_update().execution_options(populate_existing=True))


def begin(session: Session, application: Application, by: Account, minutes: int) -> CaseLease:
    """A lease in place of whatever was there. The caller holds the application's row, and commits."""
    lease = held(session, application)
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
    """The lease of `by` goes on from now; its new end, None where `by` has none that runs. The caller commits."""
    now = clock.now().replace(microsecond=0)
    own = update(CaseLease).where(CaseLease.application_id == application.id, CaseLease.account_id == by.id)
    until, own = now + timedelta(minutes=minutes), own.where(CaseLease.until > now)
    renewed: Any = session.execute(own.values(until=until).execution_options(synchronize_session=False))
    return until if renewed.rowcount else None


def end(session: Session, application: Application) -> None:
    """The case is nobody's. The caller commits."""
    lease = held(session, application)
    if lease is not None:
        session.delete(lease)
        session.flush()
