"""Worker that makes queued papers. Any number of processes, on any number of machines, may run it at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from flask import Flask, current_app
from flask_babel import gettext as _
from obstore.exceptions import BaseError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import access, clock, queue
from models.acts import papers
from models.certificate import paper_queue
from models.certificate.paper_queue import Claim, Pace
from models.certificate.typesetting import TypesettingFailed
from models.database import db
from models.files.worker import Busy
from models.workflow import Refused
from views.certificate import page
from views.resources import keys, store

UNAVAILABLE = (
    Refused,
    Busy,
    OSError,
    BaseError,
)  # keys, memory or store are unavailable: not a fault of the paper


def pace() -> Pace:
    """Lease and back-off of papers, from the settings."""
    return Pace(**current_app.config["PAPER_PACE"])


def make_due_papers(session: Session, pace: Pace) -> Iterator[tuple[str, str]]:
    """One round: make all papers due now; yields (certificate number, why it was not made or "") for each. Commits.

    A failure does not stop the others and is not retried in the same round. Raises SQLAlchemyError.
    """
    began = clock.now()
    while (task := paper_queue.claim(session, pace, began)) is not None:
        if task.is_valid:
            yield task.number, _attempt(session, task, pace)
        else:  # revoked before its paper was made: nobody may print it
            paper_queue.delete_task(session, task.certificate_id)
            session.commit()


@contextmanager
def _lease_renewed(task: Claim, pace: Pace) -> Iterator[None]:
    """Renew the lease in a thread while the paper is being made (at most typesetting.TIMEOUT)."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    done = Event()

    def renew() -> None:
        while not done.wait(pace.lease / 3):
            try:
                with app.app_context(), access.everything() as session:
                    if not paper_queue.renew(session, task, pace):
                        return
            except SQLAlchemyError:  # the lease runs out, unless the database answers again before
                app.logger.warning("the lease of certificate %s was not renewed", task.number)

    thread = Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _attempt(session: Session, task: Claim, pace: Pace) -> str:
    """Make one paper, or release its task; returns the reason of a failure, or "". Commits; ends all transactions."""
    try:
        if task.faults >= pace.tries:  # the paper may have killed its workers
            raise TypesettingFailed(_("制作时程序多次中断。"))
        with _lease_renewed(task, pace):
            papers.make_and_commit(task.certificate_id, store(), keys(), page)
    except SQLAlchemyError:
        raise
    except Exception as why:
        reason = str(why) if isinstance(why, (Refused, TypesettingFailed)) else f"{type(why).__name__}: {why}"
        fault = not isinstance(why, UNAVAILABLE)
        current_app.logger.warning("no paper yet for certificate %s: %s", task.number, reason, exc_info=fault and why)
        queue.end_attempt(session, task, reason, pace, fault=fault)
        return reason
    except BaseException:  # the process is being stopped
        paper_queue.release_now(session, task)
        raise
    finally:
        db.session.remove()  # the store reads its identity in db.session
    return ""
