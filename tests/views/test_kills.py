"""Whatever is killed, at whatever line, under whatever faults: one effect per message, and the same status here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, trail
from models.application import Application
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.db import db
from models.vocabulary import Action, Status, Step
from tests.conftest import Making
from tests.views.customs_house import simulated
from views.simulator import Customs

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("KILLS", "24"))
SEED = int(os.environ.get("SEED", "1"))
FAULTS = {
    "lost": 0.06, "unanswered": 0.06, "duplicated": 0.06, "reordered": 0.06, "late": 0.06, "malformed": 0.06,
    "half": 0.06, "down": 0.01, "rejected": 0.7,
}  # fmt: skip


@pytest.mark.parametrize("way", ["http", "folder"] if KILLS > 100 else ["http"])  # over a folder it takes long
def test_kills_at_any_line_leave_one_effect_per_message(
    app: Flask, make_application: Making, tmp_path: Path, way: str
) -> None:
    """CU4, CU13, RC6, RC8: SIGKILL between any two lines of granting, sending, receiving; several deliverers."""
    for _ in range(min(6 + KILLS // 40, 40)):
        make_application(status="pending")
    address = app.config["SQLALCHEMY_DATABASE_URI"]
    (tmp_path / "keys").symlink_to(app.config["SIGNING_KEY"])
    words = [word for name, chance in FAULTS.items() for word in ("--fault", f"{name}={chance}")]
    words += ["--folder", str(tmp_path / "boxes")] if way == "folder" else []
    with simulated(tmp_path, "--pause", "0.2", "--seed", str(SEED), *words) as gateway:
        command = [sys.executable, "-m", "tests.kills", address, str(tmp_path), gateway, str(KILLS), str(SEED)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with app.app_context():
        compare(Customs(tmp_path / "customs.sqlite"))


def compare(customs: Customs) -> None:
    """Both ledgers, certificate by certificate, and the trail."""
    theirs = {entry["message_id"]: entry["accepted"] for entry in customs.entries()}
    with access.everything() as session:
        ours = {message.message_id: message.accepted for message in session.scalars(select(CustomsMessage))}
        assert ours == theirs, "one effect per message, and the same answer on both sides"
        order = [entry["message_id"] for entry in customs.entries()]
        for certificate in session.scalars(select(Certificate)):
            own = select(CustomsMessage).where(CustomsMessage.certificate_id == certificate.id)
            messages = session.scalars(own.order_by(CustomsMessage.id)).all()
            places = [order.index(message.message_id) for message in messages]
            assert places == sorted(places), "customs hears of one certificate in the order of the acts"
            assert sum(bool(m.accepted) and m.act is not Action.REVOKE for m in messages) <= 1
            assert [m.act for m in messages].count(Action.GRANT) == 1
            check_status(certificate.application, messages[-1])
        assert list(trail.broken(session)) == []
        filed = session.scalars(select(Application.id).where(Application.certificate.has())).all()
        assert len(filed) == len(set(filed)) == len(session.scalars(select(Certificate.id)).all())
    db.engine.dispose()


def check_status(application: Application, last: CustomsMessage) -> None:
    """Its status is what its last message says, by one trail entry a receipt."""
    if last.act is Action.REVOKE:
        assert application.status is Status.REVOKED
    else:
        assert application.status is (Status.CUSTOMS_RECEIVED if last.accepted else Status.CUSTOMS_FAILED)
    told = [entry.act for entry in application.trail if entry.act in {Step.CUSTOMS_ACCEPTED, Step.CUSTOMS_REJECTED}]
    assert told.count(Step.CUSTOMS_ACCEPTED) <= 1
    assert len(told) <= len({entry.act for entry in application.trail}) + told.count(Step.CUSTOMS_REJECTED)
