"""Queue of papers to be made: claiming, retrying and setting aside of tasks.

A task is inserted by the granting transaction and deleted by the transaction that inserts the finished paper.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, case, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, aliased, defer, mapped_column, relationship

from models import clock, queue, workflow
from models.application import Application
from models.application.child import Child
from models.certificate import Certificate
from models.database import NO_SYNC, Base
from models.queue import Queued


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
class Claim(queue.Claim):
    """A claimed task; `is_valid`: whether the certificate is still valid."""

    table = PaperTask

    faults: int
    certificate_id: int
    number: str
    is_valid: bool


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
        except IntegrityError:  # another request was first
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
    now, row = clock.now(), aliased(PaperTask)
    claiming = queue.claiming(PaperTask, row, now, pace, queue.due_since(row, now, since or now))
    lapsed = case((PaperTask.claimed_until.is_not(None), 1), else_=0)
    claiming = claiming.values(faults=PaperTask.faults + lapsed)
    key = session.scalar(claiming.returning(PaperTask.id), **NO_SYNC)
    session.commit()
    return None if key is None else _claimed(session, key)


def _claimed(session: Session, key: int) -> Claim | None:
    """The claim; None when its task was deleted meanwhile. Rolls back."""
    is_valid = Application.status.in_(workflow.VALID)
    counts = (PaperTask.attempts, PaperTask.attempts - PaperTask.released, PaperTask.faults)
    asked = select(PaperTask.id, *counts, PaperTask.certificate_id, Certificate.number, is_valid).where(
        PaperTask.id == key
    )
    row = session.execute(asked.join(PaperTask.certificate).join(PaperTask.application)).one_or_none()
    session.rollback()
    return Claim(*row) if row else None


def renew(session: Session, task: Claim, pace: Pace) -> bool:
    """Extend the lease of a claim; False when another worker has claimed the task. Commits."""
    values = {"claimed_until": clock.now() + timedelta(seconds=pace.lease)}
    done: Any = session.execute(update(PaperTask).where(*task.still_claimed).values(values), **NO_SYNC)
    session.commit()
    return bool(done.rowcount)


def release_now(session: Session, task: Claim) -> None:
    """Release a claim and make the task due at once, because this worker is being stopped. Commits."""
    values = {"claimed_until": None, "next_at": clock.now()}
    session.execute(update(PaperTask).where(*task.still_claimed).values(values), **NO_SYNC)
    session.commit()


def delete_task(session: Session, certificate_id: int) -> None:
    """Delete the task of a paper that is made or not needed any more; the caller commits."""
    session.execute(delete(PaperTask).where(PaperTask.certificate_id == certificate_id), **NO_SYNC)


def counts(session: Session, pace: Pace) -> tuple[int, int, int]:
    """Numbers of papers still to be made: (all, overdue, set aside)."""
    aside = PaperTask.set_aside_at.is_not(None)
    late = queue.late(PaperTask, clock.now(), pace.overdue)
    asked = select(func.count(), func.count(case((~aside & late, 1))), func.count(case((aside, 1))))
    in_all, overdue, set_aside = session.execute(asked.select_from(PaperTask)).one()
    return in_all, overdue, set_aside


def last_failure(session: Session) -> str:
    """Why the last attempt at one of the waiting papers failed; "" if none has."""
    failed = select(PaperTask.answer).where(PaperTask.answer.is_not(None), PaperTask.set_aside_at.is_(None))
    return session.scalar(failed.order_by(PaperTask.next_at.desc(), PaperTask.id).limit(1)) or ""


def problems(session: Session, pace: Pace) -> list[str]:
    """Words for /healthz: `papers` (tasks are overdue), `papers_set_aside` (tasks wait for a person)."""
    _in_all, overdue, set_aside = counts(session, pace)
    return [word for word, found in (("papers", overdue), ("papers_set_aside", set_aside)) if found]
