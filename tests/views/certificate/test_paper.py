"""The paper as a document of record: made once, stored, signed, archival; also after crashes."""

import hashlib
import os
import pickle
import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from models import access
from models.acts.papers import TYPESETTER, make_and_commit, order
from models.application import Application
from models.certificate import Certificate, Paper, typesetting
from models.certificate.paper_queue import PaperTask
from models.certificate.typesetting import Order, Typesetter, TypesettingFailed
from models.database import db
from tests import ROOT
from tests.apps import without_triggers
from tests.cast import make_papers
from tests.conftest import MakeApplication
from views.certificate import page
from views.resources import keys, store


def papers(app: Flask, key: int) -> list[str]:
    """The digest of every paper that was made for this application."""
    with app.app_context(), access.everything() as session:
        return list(session.scalars(select(Paper.digest).where(Paper.application_id == key)))


def number_of(app: Flask, key: int) -> str:
    """The number of its certificate."""
    with app.app_context(), access.everything() as session:
        return session.scalars(select(Certificate.number).where(Certificate.application_id == key)).one()


class TestIssuedOnce:
    def test_a_granted_paper_is_made_once_and_every_print_serves_it(
        self, app: Flask, make_application: MakeApplication, client_as: Any, download_paper: Any, monkeypatch: Any
    ) -> None:
        """Not by the request that grants, but by a worker, once for all prints."""
        key = make_application(status="pending")
        with monkeypatch.context() as web:
            web.setattr(Typesetter, "make_pdf", lambda *_: pytest.fail("a web thread has set a paper in type"))
            web.setattr("segno.make_qr", lambda *_, **__: pytest.fail("a web thread has computed a QR code"))
            assert client_as("reviewer").post("/review/grant/", data={"id": key}).status_code == 303
            assert client_as("publisher").post("/applications/print/", data={"id": key}).status_code == 303
        make_papers(app)
        (digest,) = papers(app, key)
        monkeypatch.setattr(Typesetter, "make_pdf", lambda *_: pytest.fail("the typesetter was called again"))
        served = {download_paper(who, key) for who in ("publisher", "reviewer", "national")}
        assert [hashlib.sha256(paper).hexdigest() for paper in served] == [digest]
        with app.app_context():
            assert served == {store().open(digest).read()}

    def test_the_same_snapshot_makes_the_same_page(self, app: Flask, make_application: MakeApplication) -> None:
        """Byte for byte but for the signature, which contains its time; also after changes to the application."""
        key = make_application(status="filed")
        made = []
        for title in ("黑胶唱片《茉莉花》", "后来改过的名称"):
            with app.app_context(), access.everything() as session:
                with without_triggers(session.connection()):
                    session.get_one(Application, key).title = title
                    session.flush()
                session.commit()
                granted = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
                made.append(typesetting.render_pdf(order(granted, "320000", keys(), page))[0])
        assert made[0] == made[1]

    def test_another_process_in_another_place_sets_the_same_page(
        self, app: Flask, make_application: MakeApplication, tmp_path: Path
    ) -> None:
        """With another hash seed and time zone."""
        key = make_application(status="filed", carriers=3, title="黑胶唱片《茉莉花》𠮷 Latin")
        with app.app_context(), access.everything() as session:
            granted = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
            (tmp_path / "order").write_bytes(pickle.dumps(order(granted, "320000", keys(), page)))
        look = (
            "import pickle, sys, hashlib; from models.certificate import typesetting; "
            "order = pickle.load(open(sys.argv[1], 'rb')); "
            "print(hashlib.sha256(typesetting.render_pdf(order)[0]).hexdigest())"
        )
        made = set()
        for seed, zone in (("1", "UTC"), ("2", "America/Los_Angeles"), ("3", "Asia/Shanghai")):
            command, there = [sys.executable, "-c", look, str(tmp_path / "order")], {"PYTHONHASHSEED": seed, "TZ": zone}
            made.add(subprocess.run(command, cwd=ROOT, env=os.environ | there, capture_output=True, check=True).stdout)
        assert len(made) == 1

    def test_a_kill_between_grant_and_paper_leaves_one_certificate(
        self, app: Flask, make_application: MakeApplication, tmp_path: Path
    ) -> None:
        """SIGKILL: `certificate render` then makes the paper with the number that was given."""
        key = make_application(status="pending")
        names = ("SQLALCHEMY_DATABASE_URI", "STORE", "SIGNING_KEY", "SECRET_KEY")
        settings = {name: app.config[name] for name in names}
        died = (
            "import os, signal, sys; from app import create_app; "
            "from models.certificate.typesetting import Typesetter; from tests.bench.certificates import grant; "
            "Typesetter.make_pdf = lambda *_: os.kill(os.getpid(), signal.SIGKILL); "
            f"grant(create_app({settings!r}), {key})"
        )
        ran = subprocess.run([sys.executable, "-c", died], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (-signal.SIGKILL, "")
        number = number_of(app, key)
        assert papers(app, key) == []
        done = app.test_cli_runner().invoke(args=["certificate", "render"])
        assert (done.exit_code, done.output.strip()) == (0, "已补制 1 份证明文件。")
        assert number_of(app, key) == number
        assert len(papers(app, key)) == 1

    def test_a_paper_whose_row_was_lost_in_a_crash_leaves_bytes_and_no_second_certificate(
        self, app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file is stored before its row: after a crash in between it is made again, and the orphan is swept."""
        key = make_application(status="filed")
        with app.app_context(), access.everything() as session:
            granted = session.scalars(select(Certificate.id).where(Certificate.application_id == key)).one()
        with app.app_context(), monkeypatch.context() as broken:
            broken.setattr("models.acts.papers.Paper", lambda **_: (_ for _ in ()).throw(MemoryError()))
            with pytest.raises(MemoryError):
                make_and_commit(granted, store(), keys(), page)
        assert papers(app, key) == []
        with app.app_context():
            make_and_commit(granted, store(), keys(), page)
            [digest] = papers(app, key)
            make_and_commit(granted, store(), keys(), page)
        assert papers(app, key) == [digest]

    def test_render_makes_all_missing_papers(self, app: Flask, make_application: MakeApplication) -> None:
        """`flask certificate render`: after a restore, an upgrade, or a time without a worker."""
        keys_of = [make_application(status="filed") for _ in range(2)]
        for words in ("已补制 2 份证明文件。", "已补制 0 份证明文件。"):
            done = app.test_cli_runner().invoke(args=["certificate", "render"])
            assert (done.exit_code, done.output.strip()) == (0, words)
        assert [len(papers(app, key)) for key in keys_of] == [1, 1]

    def test_one_of_several_parallel_papers_is_stored(self, app: Flask, make_application: MakeApplication) -> None:
        """RC1: two workers with overlapping leases; the first paper is stored, and the queue is empty."""
        key = make_application(status="filed")
        with app.app_context(), access.everything() as session:
            granted = session.scalars(select(Certificate.id).where(Certificate.application_id == key)).one()

        def make() -> None:
            with app.app_context():
                make_and_commit(granted, store(), keys(), page)

        workers = [Thread(target=make, daemon=True) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=60)
        assert len(papers(app, key)) == 1
        with app.app_context(), access.everything() as session:
            assert session.scalar(select(func.count()).select_from(PaperTask)) == 0

    def test_a_killed_worker_process_is_replaced(
        self, app: Flask, make_application: MakeApplication, download_paper: Any
    ) -> None:
        """The next task starts another."""
        download_paper("publisher", make_application(status="filed"))
        while TYPESETTER.process is None:  # it has just retired
            download_paper("publisher", make_application(status="filed"))
        os.kill(TYPESETTER.process.pid, signal.SIGKILL)
        assert download_paper("publisher", make_application(status="filed")).startswith(b"%PDF-1.7")

    def test_a_changed_file_is_never_served(
        self, app: Flask, make_application: MakeApplication, client_as: Any, download_paper: Any
    ) -> None:
        """A changed or missing file is an incident with a number."""
        key = make_application(status="filed")
        download_paper("publisher", key)
        digest = papers(app, key)[0]
        stored = Path(app.config["STORE"], digest[:2], digest)
        for damage in (stored.read_bytes().replace(b"/Title", b"/Tit1e", 1), None):
            stored.unlink() if damage is None else stored.write_bytes(damage)
            answer = client_as("publisher").get(f"/applications/certificate/?id={key}", follow_redirects=True)
            assert re.search("证明文件缺失或已损坏，请把事件编号 [0-9A-F]{8} 告知系统管理员", answer.text)

    def test_the_paper_is_in_the_backup_and_not_deleted_by_a_sweep(
        self, app: Flask, make_application: MakeApplication, download_paper: Any, tmp_path: Path
    ) -> None:
        """A lost file is reported by `backup`."""
        key = make_application(status="filed")
        paper = download_paper("publisher", key)
        digest = papers(app, key)[0]
        stored = Path(app.config["STORE"], digest[:2], digest)
        os.utime(stored, (0, 0))
        assert app.test_cli_runner().invoke(args=["sweep"]).exit_code == 0
        assert stored.read_bytes() == paper
        stored.unlink()
        done = app.test_cli_runner().invoke(args=["backup", str(tmp_path / "backup")])
        assert (done.exit_code, number_of(app, key) in done.output) == (1, True)

    def test_a_paper_cannot_be_changed_or_added(self, app: Flask, make_application: MakeApplication) -> None:
        """AD8: both the session and raw SQL are refused."""
        key = make_application(status="filed")
        app.test_cli_runner().invoke(args=["certificate", "render"])
        stored_digest = papers(app, key)
        again = "INSERT INTO paper (certificate_id, digest, made_at, application_id) "
        for by_hand in (
            f"UPDATE paper SET digest = '{'0' * 64}'",
            "UPDATE paper SET made_at = CURRENT_TIMESTAMP",
            "DELETE FROM paper",
            f"{again} SELECT certificate_id, digest, made_at, application_id FROM paper",
        ):
            with app.app_context(), db.engine.connect() as connection, pytest.raises(DBAPIError):
                connection.execute(text(by_hand))
        assert papers(app, key) == stored_digest
        with app.app_context(), access.everything() as session:
            stored = session.scalars(select(Paper).where(Paper.application_id == key)).one()
            stored.digest = "0" * 64
            with pytest.raises(DBAPIError, match=r"不能直接改动|permission denied"):  # under row security
                session.commit()
            session.rollback()
            copied = {name: getattr(stored, name) for name in ("certificate_id", "application_id", "made_at")}
            session.add(Paper(digest="0" * 64, **copied))
            with pytest.raises(Exception, match=r"不能直接改动|UNIQUE"):
                session.commit()
            session.rollback()
            assert session.scalar(select(func.count()).select_from(Paper)) == 1

    def test_a_paper_that_does_not_verify_is_never_stored(
        self, app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch, make_pdf: Any
    ) -> None:
        """Signed by another authority, or changed after signing: the certificate waits for its paper."""
        key = make_application(status="filed")
        with app.app_context(), access.everything() as session:
            granted = session.scalars(select(Certificate.id).where(Certificate.application_id == key)).one()
            whole = Order("", "", date(2026, 11, 25), keys(), "440000")
            neighbours = typesetting.sign_paper(make_pdf(), 0, (10, 10, 60, 60), whole)
            own = typesetting.sign_paper(make_pdf(), 0, (10, 10, 60, 60), replace(whole, province="320000"))
        for made, why in ((neighbours, "签章不是签发机关的"), (own[:-9], "文件"), (make_pdf(), "不是经签章的备案证明")):
            with app.app_context(), monkeypatch.context() as bad:
                bad.setattr(Typesetter, "make_pdf", lambda *_, made=made: made)
                with pytest.raises(TypesettingFailed, match=why):
                    make_and_commit(granted, store(), keys(), page)
        assert papers(app, key) == []
