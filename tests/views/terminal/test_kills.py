"""Processes killed at any line, under any fault: one effect per message, and the same status on both sides."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.application import Application, trail
from models.application.attachments import Store
from models.certificate import Certificate
from models.certificate.paper_queue import PaperTask
from models.customs import CustomsMessage
from models.database import db
from models.vocabulary import Action, Status, Step
from models.workflow import RECEIPTS
from tests import ROOT
from tests.conftest import MakeApplication
from tests.views.customs_server import simulated
from tests.views.faulty_customs import FaultInjection
from views.demo.simulator import Customs
from views.resources import store

KILLS = int(os.environ.get("KILLS", "16"))
SEED = int(os.environ.get("SEED", "1"))
FAULTS = {
    "lost": 0.06, "unanswered": 0.06, "duplicated": 0.06, "reordered": 0.06, "late": 0.06, "malformed": 0.06,
    "half": 0.06, "down": 0.01, "rejected": 0.85,
}  # fmt: skip


@pytest.mark.parametrize("way", ["http", "folder"])
def test_kills_at_any_line_leave_one_effect_per_message(
    app: Flask, make_application: MakeApplication, tmp_path: Path, way: str
) -> None:
    """CU4, CU13, RC6, RC8: SIGKILL between any two lines of granting, making papers, sending, receiving."""
    kills = KILLS if way == "http" else KILLS // 2  # over a folder it takes longer
    app.config["STORE"] = str(tmp_path / "store")
    for n in range(9 + kills // 12):
        make_application(status="pending" if n < 3 + kills // 100 else "filed")
    address = app.config["SQLALCHEMY_DATABASE_URI"]
    (tmp_path / "keys").symlink_to(app.config["SIGNING_KEY"])
    boxes = tmp_path / "boxes" if way == "folder" else None
    with simulated(tmp_path, FaultInjection(FAULTS, SEED, pause=0.2), boxes) as gateway:
        command = [sys.executable, "-m", "tests.kills", address, str(tmp_path), gateway, str(kills), str(SEED)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    killed = json.loads(done.stdout)
    assert killed["deliver"] >= kills // 3
    assert killed["grant"] >= 1, "a web process, while it answers the POST"
    assert killed["make"] >= 1, "whoever makes a paper"
    with app.app_context():
        compare(Customs(tmp_path / "customs.sqlite"), kills)
    print(f"kills by what was going on: {killed}")  # noqa: T201  shown by `make soak`


def compare(customs: Customs, kills: int) -> None:
    """Compare both ledgers, the certificates and the trail; require a minimum of messages."""
    theirs = {entry["message_id"]: entry["accepted"] for entry in customs.entries()}
    with access.everything() as session:
        here = {message.message_id: message.accepted for message in session.scalars(select(CustomsMessage))}
        assert here == theirs, "one effect per message, and the same answer on both sides"
        assert Counter(customs.arrivals()) == dict.fromkeys(here, 1), "each message arrives once"
        assert len(here) >= 6 + kills // 10
        order = [entry["message_id"] for entry in customs.entries()]
        certificates = session.scalars(select(Certificate)).all()
        assert len(certificates) >= 6
        for certificate in certificates:
            own = select(CustomsMessage).where(CustomsMessage.certificate_id == certificate.id)
            messages = session.scalars(own.order_by(CustomsMessage.id)).all()
            places = [order.index(message.message_id) for message in messages]
            assert places == sorted(places), "customs hears of one certificate in the order of the acts"
            assert [m.act for m in messages].count(Action.GRANT) == 1
            check_status(certificate.application, messages)
            check_paper(certificate, store())
        assert session.scalars(select(PaperTask)).all() == [], "nothing is still to be made"
        assert list(trail.broken(session)) == []
        granted = session.scalars(select(trail.TrailEntry.application_id).where(trail.TrailEntry.act == Action.GRANT))
        assert sorted(granted) == sorted(certificate.application_id for certificate in certificates)
    db.engine.dispose()


def check_paper(certificate: Certificate, store: Store) -> None:
    """One paper, which is in the store; none only if revoked before it was made."""
    if certificate.paper is None:
        assert certificate.application.status is Status.REVOKED
        return
    with store.open(certificate.paper.digest) as file:
        assert hashlib.sha256(file.read()).hexdigest() == certificate.paper.digest


def check_status(application: Application, messages: Sequence[CustomsMessage]) -> None:
    """The status follows from the last message, with one trail entry per receipt."""
    answers = [bool(message.accepted) for message in messages if message.act is not Action.REVOKE]
    recorded = [entry.act == Step.CUSTOMS_ACCEPTED for entry in application.trail if entry.act in RECEIPTS]
    assert answers[:-1] == [False] * (len(answers) - 1), "nothing accepted is sent again"
    if messages[-1].act is Action.REVOKE:
        assert application.status is Status.REVOKED
        assert recorded in (answers, answers[:-1]), "an answer after the revocation does not change the status"
    else:
        assert application.status is (Status.CUSTOMS_RECEIVED if answers[-1] else Status.CUSTOMS_FAILED)
        assert recorded == answers
