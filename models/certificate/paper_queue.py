"""Papers still to be made: which certificate a worker makes next, when it is tried again, when it is set aside.

A task is written by the granting transaction and deleted by the transaction that names the finished paper.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ForeignKey, Index, case, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, aliased, defer, mapped_column, relationship

from models import clock, queue, workflow
from models.application import Application
from models.application.child import Child
from models.certificate import Certificate
from models.database import Base
from models.queue import Queued

QUIETLY: dict[str, Any] = {"execution_options": {"synchronize_session": False}}


@dataclass(frozen=True)
class Pace(queue.Pace):
    """How patient we are with papers; a lease that runs out while a paper is still being made costs work, no more."""

    pause: float = 2
    longest: float = 300
    overdue: float = 300
    tries: int = 5


class PaperTask(Queued, Child, Base):
    """One paper that is still to be made."""

    __tablename__ = "paper_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), unique=True)

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(back_populates="paper_task")
    __table_args__ = (Index(None, "next_at", "id"),)


@dataclass(frozen=True)
class Claim:
    """A claimed task as plain values, for nothing is held while the paper is being made.

    `tries`: attempts since the last release; `holds`: whether the certificate is still valid.
    """

    id: int
    certificate_id: int
    number: str
    attempt: int
    tries: int
    faults: int
    holds: bool

    @property
    def ours(self) -> tuple[ColumnElement[bool], ...]:
        """Whether the row is still claimed by this attempt."""
        return PaperTask.id == self.id, PaperTask.attempts == self.attempt, PaperTask.claimed_until.is_not(None)


def enqueue(session: Session, certificate: Certificate) -> None:
    """Have the paper of a certificate made; flushed, the caller commits."""
    key, application_id = certificate.id, certificate.application_id
    session.add(PaperTask(certificate_id=key, application_id=application_id, queued_at=clock.now()))
    session.flush()


def ask_for(session: Session, certificate: Certificate) -> None:
    """Somebody needs this paper: queue it if it is not, try it anew if it was set aside. Commits."""
    task, key = certificate.paper_task, certificate.id
    if task is None:
        try:
            enqueue(session, certificate)
        except IntegrityError:  # somebody else has asked for it this very moment
            session.rollback()
    elif task.set_aside_at is not None:
        again = update(PaperTask).where(PaperTask.certificate_id == key, PaperTask.set_aside_at.is_not(None))
        session.execute(again.values(queue.releasing(PaperTask) | {"queued_at": clock.now()}), **QUIETLY)
    session.commit()


def ask_for_all(session: Session) -> None:
    """Queue every paper that was never made of a certificate that still holds, and retry those set aside. Commits."""
    holds = Certificate.application.has(Application.status.in_(workflow.VALID))
    unmade = select(Certificate).where(~Certificate.paper.has(), ~Certificate.paper_task.has(), holds)
    for certificate in session.scalars(unmade.options(defer(Certificate.content)).order_by(Certificate.id)).all():
        enqueue(session, certificate)
    session.execute(update(PaperTask).values(queue.releasing(PaperTask)), **QUIETLY)
    session.commit()


def claim(session: Session, pace: Pace, since: datetime | None = None) -> Claim | None:
    """The next task that was due at `since` (None: is due now), ours for a lease; of many workers one gets it.

    Commits, and so records the attempt.

    A lease that ran out counts as a fault: its worker died, perhaps of this very paper.
    """
    now, due = clock.now(), aliased(PaperTask)
    next_one = (
        select(due.id)
        .where(queue.due(due, now), due.next_at <= (since or now))
        .order_by(due.next_at, due.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer at a time anyway
    )
    lapsed = case((PaperTask.claimed_until.is_not(None), 1), else_=0)
    values = queue.claiming(PaperTask, now + timedelta(seconds=pace.lease)) | {"faults": PaperTask.faults + lapsed}
    taking = update(PaperTask).where(PaperTask.id == next_one.scalar_subquery()).values(values)
    key = session.scalar(taking.returning(PaperTask.id), **QUIETLY)
    session.commit()
    return None if key is None else _claimed(session, key)


def _claimed(session: Session, key: int) -> Claim | None:
    """The claim as plain values; None when its paper was made meanwhile. Leaves no transaction open."""
    held = Application.status.in_(workflow.VALID)
    columns = (PaperTask.attempts, PaperTask.attempts - PaperTask.released, PaperTask.faults, held)
    asked = select(PaperTask.id, PaperTask.certificate_id, Certificate.number, *columns).where(PaperTask.id == key)
    row = session.execute(asked.join(PaperTask.certificate).join(PaperTask.application)).one_or_none()
    session.rollback()
    return Claim(*row) if row else None


def give_back(session: Session, task: Claim, why: str, pace: Pace, fault: bool) -> None:
    """Try a claimed task again after a pause; a `fault` is the paper's own, and too many set it aside. Commits.

    Another worker's claim is left alone.
    """
    why = queue.storable(why)
    values: dict[str, Any] = {"answer": why[: queue.LONGEST_ANSWER]}
    if fault:
        values = queue.one_fault_more(PaperTask, pace, why, _("稍后重试。"), _("已搁置。"))
    values |= {"claimed_until": None, "next_at": pace.after(task.tries)}
    session.execute(update(PaperTask).where(*task.ours).values(values), **QUIETLY)
    session.commit()


def hand_over(session: Session, task: Claim) -> None:
    """Give a claim back at once: this worker is told to stop. Commits."""
    values = {"claimed_until": None, "next_at": clock.now()}
    session.execute(update(PaperTask).where(*task.ours).values(values), **QUIETLY)
    session.commit()


def finish(session: Session, certificate_id: int) -> None:
    """The paper is made, or never will be; the caller commits."""
    session.execute(delete(PaperTask).where(PaperTask.certificate_id == certificate_id), **QUIETLY)


def unwell(session: Session, pace: Pace) -> list[str]:
    """For /healthz: `papers` wait longer than they should, `papers_set_aside` wait for a person."""
    aside = PaperTask.set_aside_at.is_not(None)
    late = PaperTask.queued_at < clock.now() - timedelta(seconds=pace.overdue)
    asked = select(func.count(case((~aside & late, 1))), func.count(case((aside, 1))))
    waiting, set_aside = session.execute(asked).one()
    return [word for word, found in (("papers", waiting), ("papers_set_aside", set_aside)) if found]
