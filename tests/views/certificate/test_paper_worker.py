"""The worker that makes papers: one paper per certificate, also after crashes; retry, back-off and dead letter."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import access, queue
from models.certificate import Certificate, Paper, paper_queue
from models.certificate.paper_queue import Pace, PaperTask
from models.certificate.typesetting import Typesetter, TypesettingFailed
from models.files.worker import Busy
from models.vocabulary import Action
from tests import ROOT
from tests.cast import make_papers, perform_step
from tests.conftest import MakeApplication
from tests.views.conftest import AdvanceClock
from tests.views.pages import flashed
from views.certificate import page, paper_worker

SETTINGS = ("SQLALCHEMY_DATABASE_URI", "STORE", "SIGNING_KEY", "SECRET_KEY")


def failing(why: Exception) -> Callable[..., bytes]:
    """In place of Typesetter.make_pdf: raises `why`."""

    def made(*_order: Any) -> bytes:
        raise why

    return made


def round_of(app: Flask, **pace: Any) -> list[str]:
    """One round of a worker; the reasons why papers were not made."""
    with app.app_context(), access.everything() as session:
        return [failure for _number, failure in paper_worker.make_due_papers(session, Pace(**pace)) if failure]


def count(app: Flask, what: type[Any]) -> int:
    """Number of rows of this table."""
    with app.app_context(), access.everything() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def task_of(app: Flask, key: int) -> PaperTask:
    """The current task of an application."""
    with app.app_context(), access.everything() as session:
        found = session.scalars(select(PaperTask).where(PaperTask.application_id == key)).one()
        session.expunge(found)
        return found


def test_a_grant_queues_a_paper_and_the_worker_makes_it(app: Flask, make_application: MakeApplication) -> None:
    keys = [make_application(status="filed") for _ in range(2)]
    assert (count(app, PaperTask), count(app, Paper)) == (2, 0)
    make_papers(app)
    assert (count(app, PaperTask), count(app, Paper)) == (0, 2)
    assert round_of(app) == []
    assert (len(keys), count(app, Paper)) == (2, 2)


def test_one_worker_gets_a_task(app: Flask, make_application: MakeApplication, advance_clock: AdvanceClock) -> None:
    """Claimed by one until the lease expires; then by another, and the expiry counts as a fault."""
    key = make_application(status="filed")
    with app.app_context(), access.everything() as one, access.everything() as other:
        first = paper_queue.claim(one, Pace())
        assert first is not None
        assert paper_queue.claim(other, Pace()) is None
        advance_clock()
        second = paper_queue.claim(other, Pace())
        assert second is not None
        assert (first.attempt, second.attempt, first.faults, second.faults) == (1, 2, 0, 1)
        queue.end_attempt(one, first, "too late", Pace(), fault=True)
        paper_queue.release_now(one, first)
    assert task_of(app, key).claimed_until is not None, "the claim of another is left alone"


def test_a_paper_that_fails_is_retried_and_finally_set_aside(
    app: Flask,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    monkeypatch: pytest.MonkeyPatch,
    client_as: Any,
) -> None:
    """Back-off, dead letter, /healthz, a sentence at 打印, which releases the task; then it is made."""
    key = make_application(status="filed")
    with monkeypatch.context() as broken:
        broken.setattr(Typesetter, "make_pdf", failing(TypesettingFailed("no glyph for U+E000")))
        assert round_of(app, tries=2) == ["no glyph for U+E000"]
        assert round_of(app, tries=2) == [], "not before the pause is over"
        advance_clock()
        assert round_of(app, tries=2) == ["no glyph for U+E000"]
        advance_clock()
        assert round_of(app, tries=2) == [], "set aside"
    assert task_of(app, key).answer == "no glyph for U+E000已搁置。"
    assert "papers_set_aside\n" in client_as(None).get("/healthz").text
    browser = client_as("publisher")
    page = browser.get(f"/applications/certificate/?id={key}").text
    assert "文件暂时无法生成。可以点击打印再试一次" in page
    assert 'http-equiv="refresh"' not in page
    assert "暂时无法生成，请联系系统管理员。" in browser.get(f"/applications/details/?id={key}").text
    waiting = browser.post("/applications/print/", data={"id": key}).location
    assert "文件正在制作" in browser.get(waiting).text
    make_papers(app)
    assert "papers" not in client_as(None).get("/healthz").text
    assert browser.get(f"/applications/certificate/?id={key}").mimetype == "application/pdf"


def test_a_paper_that_fails_is_tried_once_in_a_round(
    app: Flask, make_application: MakeApplication, advance_clock: AdvanceClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if its pause is over before the others are made."""
    for _n in range(3):
        make_application(status="filed")

    def slow(*_order: Any) -> bytes:
        advance_clock()
        raise TypesettingFailed("no")

    monkeypatch.setattr(Typesetter, "make_pdf", slow)
    assert round_of(app) == ["no"] * 3


def test_an_unavailable_resource_is_retried_without_limit(
    app: Flask, make_application: MakeApplication, advance_clock: AdvanceClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No memory, a full store, no key: when it is available again, the paper is made without intervention."""
    key = make_application(status="filed")
    with monkeypatch.context() as broken:
        for why in (Busy("no process could be started"), OSError("no space left on device")):
            broken.setattr(Typesetter, "make_pdf", failing(why))
            assert len(round_of(app, tries=1)) == 1
            advance_clock()
    task = task_of(app, key)
    assert (task.faults, task.set_aside_at, task.attempts) == (0, None, 2)
    make_papers(app)
    assert count(app, Paper) == 1


def test_a_paper_that_kills_its_workers_is_set_aside(
    app: Flask, make_application: MakeApplication, advance_clock: AdvanceClock
) -> None:
    key = make_application(status="filed")
    for _death in range(3):
        with app.app_context(), access.everything() as session:
            assert paper_queue.claim(session, Pace()) is not None
        advance_clock()
    assert round_of(app, tries=2) == ["制作时程序多次中断。"]
    assert task_of(app, key).set_aside_at is not None


def test_no_paper_is_made_for_a_revoked_certificate(app: Flask, make_application: MakeApplication) -> None:
    key = make_application(status="filed")
    perform_step(app, Action.REVOKE, key, "publisher")
    make_papers(app)
    assert (count(app, PaperTask), count(app, Paper)) == (0, 0)


def test_overdue_papers_are_reported(
    app: Flask, make_application: MakeApplication, advance_clock: AdvanceClock, client_as: Any
) -> None:
    """Without a worker, /healthz reports it, and the waiting page stops reloading and says what to do."""
    key, browser = make_application(status="filed"), client_as("publisher")
    address = f"/applications/certificate/?id={key}"
    assert "papers" not in client_as(None).get("/healthz").text
    assert 'http-equiv="refresh"' in browser.get(address).text
    advance_clock()
    assert "papers\n" in client_as(None).get("/healthz").text
    page = client_as("publisher").get(address).text
    assert "时间比平时长" in page
    assert 'http-equiv="refresh"' not in page


def test_printing_adds_a_missing_task(app: Flask, make_application: MakeApplication, client_as: Any) -> None:
    """For certificates older than the queue: the page says what to do, 打印 adds the task."""
    key, browser = make_application(status="filed"), client_as("publisher")
    with app.app_context(), access.everything() as session:
        paper_queue.delete_task(session, session.scalars(select(Certificate.id)).one())
        session.commit()
    looked = browser.get(f"/applications/certificate/?id={key}", follow_redirects=True)
    assert flashed(looked.text) == ["证明文件还没有制成，请点击“打印”制成后查看。"]
    assert count(app, PaperTask) == 0
    assert browser.post("/applications/print/", data={"id": key}).location.endswith(f"?id={key}&print=1")
    make_papers(app)
    assert browser.get(f"/applications/certificate/?id={key}").mimetype == "application/pdf"


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_is_ended_releases_its_task(
    app: Flask, make_application: MakeApplication, advance_clock: AdvanceClock, tmp_path: Path, ended: signal.Signals
) -> None:
    """`certificate work --watch` releases its claim at once on SIGTERM; after SIGKILL the lease expires."""
    key, making = make_application(status="filed"), tmp_path / "making"
    hanging = (
        "import pathlib, time; from models.certificate.typesetting import Typesetter; from app import create_app; "
        f"Typesetter.make_pdf = lambda *_: [pathlib.Path({str(making)!r}).touch(), time.sleep(600)]; "
        f"create_app({ {name: app.config[name] for name in SETTINGS}!r})"
        ".test_cli_runner().invoke(args=['certificate', 'work', '--watch'])"
    )
    worker = subprocess.Popen([sys.executable, "-c", hanging], cwd=ROOT)
    try:
        while not making.exists():
            assert worker.poll() is None
            time.sleep(0.1)
        os.kill(worker.pid, ended)
        worker.wait(60)
    finally:
        worker.kill()
    assert (task_of(app, key).claimed_until is None) == (ended is signal.SIGTERM)
    if ended is signal.SIGKILL:
        assert round_of(app) == [], "its lease is not over"
        advance_clock()
    make_papers(app)
    assert (count(app, PaperTask), count(app, Paper)) == (0, 1)


def test_a_paper_that_takes_longer_than_its_lease_is_made_by_one_worker(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease is renewed while it is being made; another worker finds no task meanwhile."""
    make_application(status="filed")
    looked = list[str | None]()

    def slow_page(*words: Any) -> str:
        with ThreadPoolExecutor(1) as other:
            for _time in range(6):
                time.sleep(0.5)
                looked.append(other.submit(claimed_by_another, app).result())
        return page(*words)

    monkeypatch.setattr(paper_worker, "page", slow_page)
    assert round_of(app, lease=1) == []
    assert looked == [None] * 6
    assert (count(app, PaperTask), count(app, Paper)) == (0, 1)


def claimed_by_another(app: Flask) -> str | None:
    """The number of the certificate that another worker gets to make now."""
    with app.app_context(), access.everything() as session:
        task = paper_queue.claim(session, Pace(lease=1))
        return task.number if task else None
