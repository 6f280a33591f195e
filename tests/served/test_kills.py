"""SIGKILL of gunicorn's workers, of makers of papers and of deliverers at random moments, while people grant and the
database makes checkpoints without a pause."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from models import access
from models.application import trail
from models.certificate import Certificate, Paper, paper_queue
from models.certificate.paper_queue import PaperTask
from models.customs import CustomsMessage
from models.database import db
from models.vocabulary import Action, Status
from tests import ROOT
from tests.apps import new_database, prepare_app
from tests.cast import create_application
from tests.repeated_checkpoints import repeated_checkpoints
from tests.serving import PATIENCE, SHARED, Server, serving
from tests.views.terminal.commands import run_command

ROUNDS = int(os.environ.get("KILLS", "8"))  # of kills
AT_ONCE = 3  # cases that wait when the first round begins; each round brings one more
HASTE = {"lease": 2, "pause": 0.1, "longest": 0.5, "tries": 10**6}


@pytest.fixture(params=["sqlite", "postgresql"])
def server_to_kill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server of its own, whose log may contain errors of killed processes."""
    if request.param == "sqlite":
        with serving(
            prepare_app(f"sqlite:///{tmp_path}/filing.sqlite", tmp_path), tmp_path, PAPER_PACE=HASTE
        ) as server:
            yield server
        return
    connection: psycopg.Connection = request.getfixturevalue("postgresql")
    with (
        new_database(connection, f"filing_kills_{os.getpid()}") as address,
        serving(prepare_app(address, tmp_path), tmp_path, PAPER_PACE=HASTE) as server,
    ):
        yield server


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    words = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in words.read_text().split()] if words.exists() else []


class Background:
    """A maker of papers and a deliverer, each started again when it was killed, as systemd does."""

    def __init__(self, app: Flask, folder: Path) -> None:
        settings = {name: app.config[name] for name in SHARED} | {"PAPER_PACE": HASTE}
        settings |= {"CUSTOMS_GATEWAY": f"folder:{folder}/boxes"}
        self.environment = os.environ | {f"FILING_{name}": json.dumps(value) for name, value in settings.items()}
        self.log, self.running = folder / "background.log", dict[str, subprocess.Popen[bytes]]()
        for name in ("certificate work", "customs deliver"):
            self.start(name)

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "flask", "--app", "app", *name.split(), "--watch"]
        with self.log.open("ab") as log:
            self.running[name] = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].wait()


@contextmanager
def background(app: Flask, folder: Path) -> Iterator[Background]:
    others = Background(app, folder)
    try:
        yield others
    finally:
        for name in others.running:
            others.kill(name)


def grant(server: Server, key: int) -> int:
    """The status of 准予备案; 0: the connection broke."""
    try:
        return server.client("reviewer").post("/review/grant/", {"id": key}).status
    except (OSError, http.client.HTTPException):
        return 0


def test_a_killed_process_loses_nothing_and_repeats_nothing(server_to_kill: Server, tmp_path: Path) -> None:
    """Every grant that was answered is there, once; every certificate gets one paper; numbers have no gap."""
    app, dice = server_to_kill.app, random.Random(int(os.environ.get("SEED", "1")))
    keys = [create_application(app, status="pending") for _number in range(AT_ONCE)]
    server_to_kill.client("reviewer").find_token()
    granted = set[int]()
    with (
        background(app, tmp_path) as others,
        repeated_checkpoints(app) as checkpoints,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        for number in range(ROUNDS):
            keys.append(create_application(app, status="pending"))
            sent = {key: pool.submit(grant, server_to_kill, key) for key in keys if key not in granted}
            time.sleep(dice.uniform(0, 1))
            workers = children(server_to_kill.process.pid)
            match number % 3:
                case 0 if workers:
                    os.kill(dice.choice(workers), signal.SIGKILL)
                case other:
                    name = "certificate work" if other == 1 else "customs deliver"
                    others.kill(name)
                    others.start(name)
            granted |= {key for key, answer in sent.items() if answer.result() == 303}
        for key in keys:
            grant(server_to_kill, key)
        wait_for_papers(app)
    assert checkpoints.count > ROUNDS
    assert_whole(app, keys)
    print(f"{ROUNDS} kills, {len(keys)} certificates, {checkpoints.count} checkpoints")  # noqa: T201  shown by `make soak`


def wait_for_papers(app: Flask) -> None:
    """Until all papers are made; a busy machine makes them slowly, so it fails when none was made for a long time."""
    seen, ended = -1, 0.0
    while (left := papers_to_make(app)) and (left != seen or time.monotonic() < ended):
        if left != seen:
            seen, ended = left, time.monotonic() + 5 * PATIENCE
        time.sleep(0.2)
    assert not left, f"{left} papers are not made; why the last attempt failed: {why_not_made(app)}"


def papers_to_make(app: Flask) -> int:
    with app.app_context(), access.everything() as session:
        return session.scalar(select(func.count(PaperTask.id))) or 0


def why_not_made(app: Flask) -> str:
    with app.app_context(), access.everything() as session:
        return paper_queue.last_failure(session)


def assert_whole(app: Flask, keys: list[int]) -> None:
    with app.app_context(), access.everything() as session:
        certificates = session.scalars(select(Certificate).order_by(Certificate.id)).all()
        assert sorted(each.application_id for each in certificates) == sorted(keys)
        assert {each.application.status for each in certificates} == {Status.FILED}
        serials = sorted(int(each.number[7:13]) for each in certificates)
        assert serials == list(range(serials[0], serials[0] + len(keys)))
        for table in (Paper, CustomsMessage):
            owners = session.scalars(select(table.certificate_id)).all()
            assert sorted(owners) == [each.id for each in certificates], table
        acts = session.scalars(select(trail.TrailEntry.application_id).where(trail.TrailEntry.act == Action.GRANT))
        assert sorted(acts) == sorted(keys)
    with app.app_context():
        db.engine.dispose()
    checked = run_command(app, "trail", "verify")
    assert checked.exit_code == 0, checked.output
