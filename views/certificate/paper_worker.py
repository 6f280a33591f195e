"""The worker that makes papers: any number of processes may do this at the same time, on any number of machines."""

from collections.abc import Iterator

from flask import current_app
from flask_babel import gettext as _
from obstore.exceptions import BaseError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock
from models.acts import papers
from models.certificate import paper_queue
from models.certificate.paper_queue import Claim, Pace
from models.certificate.typesetting import TypesettingFailed
from models.database import db
from models.files.worker import Busy
from models.workflow import Refused
from views.certificate import page
from views.resources import keys, store

ELSEWHERE = (Refused, Busy, OSError, BaseError)  # keys, memory or store cannot be used now: no fault of the paper


def pace() -> Pace:
    """How patient we are, by the settings."""
    return Pace(**current_app.config["PAPER_PACE"])


def work(session: Session, pace: Pace) -> Iterator[tuple[str, str]]:
    """One round: make every paper that is due now; (number of the certificate, why it was not made or "") for each.

    One that fails stops no other, and is not tried twice in a round. Raises SQLAlchemyError.
    """
    began = clock.now()
    while (task := paper_queue.claim(session, pace, began)) is not None:
        if task.holds:
            yield task.number, _attempt(session, task, pace)
        else:  # revoked before its paper was made: nobody may print it
            paper_queue.finish(session, task.certificate_id)
            session.commit()


def _attempt(session: Session, task: Claim, pace: Pace) -> str:
    """Make one paper: ""; or give the task back, and say why. Leaves no transaction open."""
    try:
        if task.faults >= pace.tries:  # it may kill whoever makes it
            raise TypesettingFailed(_("制作时程序多次中断。"))
        papers.complete(task.certificate_id, store(), keys(), page)
    except SQLAlchemyError:
        raise
    except Exception as why:
        said = str(why) if isinstance(why, (Refused, TypesettingFailed)) else f"{type(why).__name__}: {why}"
        fault = not isinstance(why, ELSEWHERE)
        current_app.logger.warning("no paper yet for certificate %s: %s", task.number, said, exc_info=fault and why)
        paper_queue.give_back(session, task, said, pace, fault=fault)
        return said
    except BaseException:  # told to stop
        paper_queue.hand_over(session, task)
        raise
    finally:
        db.session.remove()  # in which the store asks for its identity
    return ""
