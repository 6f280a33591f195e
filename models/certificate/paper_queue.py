"""Queue of papers to be made: claiming, retrying and setting aside of tasks.

A task is inserted by the granting transaction and deleted by the transaction that inserts the finished paper.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ForeignKey, Index, case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, aliased, defer, mapped_column, relationship

from models import clock, queue, workflow
from models.application import Application
from models.application.child import Child
from models.certificate import Certificate
from models.database import Base
from models.queue import Queued

NO_SYNC: dict[str, Any] = {"execution_options": {"synchronize_session": False}}


@dataclass(frozen=True)
class Pace(queue.Pace):
    """Lease and back-off of papers; a worker renews the lease of a paper that it is still making."""

    pause: float = 2
    longest: float = 300
    overdue: float = 300
    tries: int = 5


class PaperTask(Queued, Child, Base):
    """One paper to be made."""

    __tablename__ = "paper_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), unique=True)

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(back_populates="paper_task")
    __table_args__ = (Index(None, "next_at", "id"),)


@dataclass(frozen=True)
class Claim:
    """A claimed task as plain values: no transaction is open while the paper is being made.

    `attempts`: since the last release; `is_valid`: whether the certificate is still valid.
    """

    id: int
    certificate_id: int
    number: str
    attempt: int
    attempts: int
    faults: int
    is_valid: bool

    @property
    def still_claimed(self) -> tuple[ColumnElement[bool], ...]:
        """SQL conditions: the row is still claimed by this attempt."""
        return queue.still_claimed(PaperTask, self.id, self.attempt)


def enqueue(session: Session, certificate: Certificate) -> None:
    """Add the task for the paper of a certificate; flushes, the caller commits."""
    key, application_id = certificate.id, certificate.application_id
    session.add(PaperTask(certificate_id=key, application_id=application_id, queued_at=clock.now()))
    session.flush()


def enqueue_or_retry(session: Session, certificate: Certificate) -> None:
    """Add the task of this paper if there is none, and release it if it was set aside. Commits."""
    task, key = certificate.paper_task, certificate.id
    if task is None:
        try:
            enqueue(session, certificate)
        except IntegrityError:  # another request has just added it
            session.rollback()
    elif task.set_aside_at is not None:
        again = update(PaperTask).where(PaperTask.certificate_id == key, PaperTask.set_aside_at.is_not(None))
        session.execute(again.values(queue.release_values(PaperTask) | {"queued_at": clock.now()}), **NO_SYNC)
    session.commit()


def enqueue_all_missing(session: Session) -> None:
    """Add the missing tasks of all valid certificates without a paper, and make all tasks due at once. Commits."""
    is_valid = Certificate.application.has(Application.status.in_(workflow.VALID))
    unmade = select(Certificate).where(~Certificate.paper.has(), ~Certificate.paper_task.has(), is_valid)
    for certificate in session.scalars(unmade.options(defer(Certificate.content)).order_by(Certificate.id)).all():
        enqueue(session, certificate)
    session.execute(update(PaperTask).values(queue.release_values(PaperTask)), **NO_SYNC)
    session.commit()


def claim(session: Session, pace: Pace, since: datetime | None = None) -> Claim | None:
    """Claim the next task that was due at `since` (None: now) for a lease, and record the attempt. Commits.

    An expired lease counts as a fault: its worker died, perhaps because of this paper.
    """
    now, due = clock.now(), aliased(PaperTask)
    next_one = (
        select(due.id)
        .where(queue.due(due, now, pace), or_(due.next_at <= (since or now), due.next_at > now))
        .order_by(due.next_at, due.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer at a time anyway
    )
    lapsed = case((PaperTask.claimed_until.is_not(None), 1), else_=0)
    values = queue.claim_values(PaperTask, now + timedelta(seconds=pace.lease)) | {"faults": PaperTask.faults + lapsed}
    claiming = update(PaperTask).where(PaperTask.id == next_one.scalar_subquery()).values(values)
    key = session.scalar(claiming.returning(PaperTask.id), **NO_SYNC)
    session.commit()
    return None if key is None else _claimed(session, key)


def _claimed(session: Session, key: int) -> Claim | None:
    """The claim; None when its task was deleted meanwhile. Rolls back."""
    held = Application.status.in_(workflow.VALID)
    columns = (PaperTask.attempts, PaperTask.attempts - PaperTask.released, PaperTask.faults, held)
    asked = select(PaperTask.id, PaperTask.certificate_id, Certificate.number, *columns).where(PaperTask.id == key)
    row = session.execute(asked.join(PaperTask.certificate).join(PaperTask.application)).one_or_none()
    session.rollback()
    return Claim(*row) if row else None


def renew(session: Session, task: Claim, pace: Pace) -> bool:
    """Hold a claim for another lease; False when another worker holds it now. Commits."""
    values = {"claimed_until": clock.now() + timedelta(seconds=pace.lease)}
    done: Any = session.execute(update(PaperTask).where(*task.still_claimed).values(values), **NO_SYNC)
    session.commit()
    return bool(done.rowcount)


def end_attempt(session: Session, task: Claim, why: str, pace: Pace, fault: bool) -> None:
    """Release a claim and retry after a pause; a `fault` of the paper counts towards setting it aside. Commits.

    Does nothing when another worker has claimed the task since.
    """
    why = queue.storable(why)
    values: dict[str, Any] = {"answer": why[: queue.LONGEST_ANSWER]}
    if fault:
        values = queue.failure_values(PaperTask, pace, why, _("稍后重试。"), _("已搁置。"))
    values |= {"claimed_until": None, "next_at": pace.after(task.attempts)}
    session.execute(update(PaperTask).where(*task.still_claimed).values(values), **NO_SYNC)
    session.commit()


def release_now(session: Session, task: Claim) -> None:
    """Release a claim and make the task due at once, because this worker is being stopped. Commits."""
    values = {"claimed_until": None, "next_at": clock.now()}
    session.execute(update(PaperTask).where(*task.still_claimed).values(values), **NO_SYNC)
    session.commit()


def delete_task(session: Session, certificate_id: int) -> None:
    """Delete the task of a paper that is made, or never will be; the caller commits."""
    session.execute(delete(PaperTask).where(PaperTask.certificate_id == certificate_id), **NO_SYNC)


def counts(session: Session, pace: Pace) -> tuple[int, int, int]:
    """Papers (in all, overdue, set aside) of those that are still to be made."""
    aside = PaperTask.set_aside_at.is_not(None)
    late = queue.late(PaperTask, clock.now(), pace.overdue)
    asked = select(func.count(), func.count(case((~aside & late, 1))), func.count(case((aside, 1))))
    in_all, overdue, set_aside = session.execute(asked.select_from(PaperTask)).one()
    return in_all, overdue, set_aside


def problems(session: Session, pace: Pace) -> list[str]:
    """Words for /healthz: `papers` (tasks are overdue), `papers_set_aside` (tasks wait for a person)."""
    _in_all, overdue, set_aside = counts(session, pace)
    return [word for word, found in (("papers", overdue), ("papers_set_aside", set_aside)) if found]
