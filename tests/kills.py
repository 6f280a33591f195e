"""Deliverers, makers of papers, web processes and acts killed at any line:

`python -m tests.kills DATABASE FOLDER GATEWAY KILLS SEED`.

Each is a process forked from this one. It counts the lines of models and views that it runs for the first time, and
kills itself with SIGKILL at a line chosen at random: at any step of claiming, sending, receiving, committing, answering
the POST that grants, or making a paper. Prints how many of each were killed.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from models import access, clock
from models.acts import filing, message_acts
from models.application import Application
from models.certificate.paper_queue import PaperTask
from models.customs import CustomsMessage
from models.database import db
from models.exchange import delivery
from models.exchange.transports.folders import FolderPair
from models.people.accounts import Account
from models.signing import signatures
from models.vocabulary import Action, Delivery, Role, Status, Step
from models.workflow import Refused
from tests import ROOT
from tests.browsing import Browser, signed_in
from views.certificate import paper_worker
from views.resources import keys, office
from views.terminal.customs import channel

ROOMS = tuple(str(ROOT / room) for room in ("models", "views"))
HASTE = {"lease": 1, "pause": 0.05, "longest": 0.5, "tries": 4, "per_minute": 10**6}
PAPER_HASTE = {"lease": 1, "pause": 0.05, "longest": 0.5, "tries": 10**6}  # a lease ends before the paper is made
DELIVERERS, MAKERS, REVOKED, FRESH = 3, 2, 0.1, 4
# A quarter more new lines than a whole run has, so that some come to their end.
LONGEST = {"deliver": 850, "act": 330, "grant": 1000, "make": 740}
ACTS = {
    Status.CUSTOMS_FAILED: Action.RESEND,
    Status.CUSTOMS_RECEIVED: Action.REVOKE,
    Status.FILED: Action.REVOKE,
    Status.REVOKED: Action.RESEND,
}
Work = Callable[[Flask, random.Random], None]


def prepare_app(database: str, folder: str, gateway: str) -> Flask:
    """The application with short leases and pauses."""
    FolderPair.settled = 0.0  # the simulated customs renames what it has written
    settings = {"SQLALCHEMY_DATABASE_URI": database, "CUSTOMS_GATEWAY": gateway, "CUSTOMS_PACE": HASTE}
    settings |= {"PAPER_PACE": PAPER_HASTE}
    shared = {"STORE": f"{folder}/store", "SIGNING_KEY": f"{folder}/keys", "SECRET_KEY": "kills"}
    return create_app(settings | shared)


def deliver(app: Flask, _dice: random.Random) -> None:
    """One round."""
    with app.app_context(), access.everything() as session:
        list(delivery.deliver(session, channel()))


def make(app: Flask, _dice: random.Random) -> None:
    """One round of the worker that makes papers."""
    with app.app_context(), access.everything() as session:
        list(paper_worker.make_due_papers(session, paper_worker.pace()))


def act(app: Flask, dice: random.Random) -> None:
    """One act of the province, at random: resend or release, sometimes revoke."""
    with app.app_context(), access.everything() as session:
        by = reviewer(session)
        stuck = session.scalars(select(CustomsMessage).where(CustomsMessage.state == Delivery.SET_ASIDE)).first()
        found = session.scalars(select(Application).where(Application.status.in_(ACTS))).all()
        if stuck and dice.random() < 0.5:
            message_acts.perform(session, Step.RELEASE, stuck, by, clock.now())
        elif found:
            application = dice.choice(found)
            wanted = ACTS[application.status]
            if wanted is not Action.REVOKE or dice.random() < REVOKED:
                filing.perform(session, wanted, application, by, "实测。", office=office())
        session.commit()


def grant(app: Flask, dice: random.Random) -> None:
    """准予备案 as a browser sends it: the POST of a signed-in reviewer, through every layer of the application."""
    with app.app_context(), access.everything() as session:
        waiting = session.scalars(select(Application.id).where(Application.status == Status.PENDING)).all()
    if waiting:
        answer = BROWSERS[app].post("/review/grant/", data={"id": dice.choice(waiting)})
        assert answer.status_code == 303, answer.status


def again(app: Flask, _dice: random.Random) -> None:
    """Resend some messages that customs rejected, so that there is always something to deliver."""
    with app.app_context(), access.everything() as session:
        by = reviewer(session)
        failed = select(Application).where(Application.status == Status.CUSTOMS_FAILED).limit(FRESH)
        for application in session.scalars(failed).all():
            filing.perform(session, Action.RESEND, application, by)
            session.commit()


BROWSERS: dict[Flask, Browser] = {}  # in which the reviewer is signed in


def reviewer(session: Session) -> Account:
    """The first reviewer, who acts for the province."""
    return session.scalars(select(Account).where(Account.role == Role.REVIEWER)).all()[0]


def forked(app: Flask, work: Work, dice: random.Random, until: int) -> int:
    """Fork a process that does the work and kills itself at its new line number `until`; returns its process id."""
    seed = dice.random()
    run: set[tuple[Any, int]] = set()
    child = os.fork()
    if child:
        return child

    def line(frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line":
            run.add((frame.f_code, frame.f_lineno))
            if len(run) == until:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, _event: str, _arg: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(ROOMS) else None

    try:
        with app.app_context():
            db.engine.dispose(close=False)
        sys.settrace(call)
        work(app, random.Random(seed))
    except Refused:
        pass
    except BaseException as broken:
        sys.stderr.write(f"{work.__name__}: {type(broken).__name__}: {broken}\n")
        sys.stderr.flush()
    sys.settrace(None)
    os._exit(0)


def turn(app: Flask, dice: random.Random) -> Counter[str]:
    """Several deliverers and makers of papers, a web process and one act at once; who of them was killed."""
    works: list[Work] = [*[deliver] * DELIVERERS, *[make] * MAKERS, grant, act]
    os.waitpid(forked(app, again, dice, 0), 0)
    children = [(work.__name__, forked(app, work, dice, dice.randint(1, LONGEST[work.__name__]))) for work in works]
    return Counter(name for name, child in children if os.WIFSIGNALED(os.waitpid(child, 0)[1]))


def still_open(app: Flask) -> int:
    """Messages without an answer and papers still to be made; requeues those set aside, as a person would."""
    with app.app_context(), access.everything() as session:
        by = reviewer(session)
        for stuck in session.scalars(select(CustomsMessage).where(CustomsMessage.state == Delivery.SET_ASIDE)).all():
            message_acts.perform(session, Step.RELEASE, stuck, by, clock.now())
        session.commit()
        left = len(session.scalars(select(CustomsMessage.id).where(CustomsMessage.answered_at.is_(None))).all())
        left += len(session.scalars(select(PaperTask.id)).all())
        session.commit()
    with app.app_context():
        db.engine.dispose()
    return left


def main(database: str, folder: str, gateway: str, kills: int, seed: int) -> None:
    """Kill this many processes, then let the others finish without kills; customs goes on making faults."""
    app, dice, killed = prepare_app(database, folder, gateway), random.Random(seed), Counter[str]()
    BROWSERS[app] = signed_in(app, "reviewer")
    with app.app_context():  # what takes long to load is loaded once
        signatures.cms(keys().signer("320000").pyhanko_signer, b"")
    while killed.total() < kills:
        killed += turn(app, dice)
    ended = time.monotonic() + 240  # longer than any lease that a killed process left behind
    while (left := still_open(app)) and time.monotonic() < ended:
        for work in (deliver, make):
            os.waitpid(forked(app, work, dice, 0), 0)
        time.sleep(0.05)
    sys.stdout.write(json.dumps(killed))
    sys.exit(f"{killed} killed, {left} left" if left else 0)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5]))  # type: ignore[arg-type]
