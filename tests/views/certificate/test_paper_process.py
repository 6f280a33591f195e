"""The typesetting process: restarted, limited in time and memory; a grant without a usable key is refused."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts.papers import order
from models.certificate import Certificate
from models.certificate.typesetting import Order, Typesetter, TypesettingFailed
from models.files.worker import Busy
from tests.bench.certificates import busy, resident
from tests.conftest import MakeApplication, StoredRows
from tests.views.looks import certificate as certificate_of
from tests.views.looks import markup
from views.certificate import page
from views.resources import keys

REFUSALS = {
    "no key": "尚未配置江苏省新闻出版局的签章密钥，不能签发证明，请联系系统管理员。",
    "another passphrase": "江苏省新闻出版局的签章密钥无法打开，请联系系统管理员核对密钥和口令。",
    "a key that has ended": "江苏省新闻出版局的签章证书不在有效期内，不能签发证明，请联系系统管理员更换。",
}


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # the process knows no database
class TestTypesetting:
    @pytest.fixture
    def an_order(self, app: Flask, make_application: MakeApplication) -> Order:
        """A certificate to be made."""
        key = make_application(status="filed")
        with app.app_context(), access.everything() as session:
            granted = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
            return order(granted, "320000", keys(), page)

    def test_a_process_that_failed_to_start_is_started_by_the_next_task(
        self, an_order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After a temporary lack of memory, processes or file handles."""
        own = Typesetter()
        for missing in ("multiprocessing.context.SpawnContext.Pipe", "multiprocessing.context.SpawnProcess.start"):
            with monkeypatch.context() as bare:
                bare.setattr(missing, lambda *_: (_ for _ in ()).throw(OSError("no more")))
                with pytest.raises(Busy):
                    own.make_pdf(an_order)
        assert own.make_pdf(an_order).startswith(b"%PDF-1.7")
        own._stop()

    def test_a_task_that_hangs_is_not_retried(self, an_order: Order) -> None:
        """The next task gets a new process."""
        own = Typesetter(timeout=0)
        with pytest.raises(TypesettingFailed, match="hung"):
            own.make_pdf(an_order)
        assert own.process is None
        own.timeout = 300
        assert own.make_pdf(an_order).startswith(b"%PDF-1.7")
        own._stop()

    def test_repeated_typesetting_of_long_papers_takes_no_more_memory(
        self, app: Flask, make_application: MakeApplication
    ) -> None:
        """PD7: fonts are subset by HarfBuzz, and memory is freed after each paper."""
        key = make_application(status="filed", carriers=40)
        with app.app_context(), access.everything() as session:
            granted = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
            whole = order(granted, "320000", keys(), page)
        own, memory = Typesetter(), []
        for _ in range(6):
            own.make_pdf(whole)
            memory.append(resident(own.process.pid))
        own._stop()
        assert memory[-1] < 1.2 * memory[1]

    def test_a_process_is_replaced_after_a_number_of_tasks(self, an_order: Order) -> None:
        """PD7: this frees the memory that the libraries leak."""
        own, processes = Typesetter(max_tasks=2), []
        for _ in range(4):
            assert own.make_pdf(an_order).startswith(b"%PDF-1.7")
            processes.append(own.process and own.process.pid)
        own._stop()
        assert processes[1] is processes[3] is None
        assert processes[0] != processes[2]

    def test_the_cost_of_rows_is_linear(self, app: Flask) -> None:
        """PD7: ten times the rows, at most five times the work, and half as much memory again."""
        own, work, memory = Typesetter(), [], []
        with app.app_context():
            short, long = (
                Order(markup(certificate_of(rows)), "{}", date(2026, 11, 24), keys(), "320000") for rows in (20, 200)
            )
        own.make_pdf(short)
        for whole in (short, long):
            before = busy(own.process.pid)
            own.make_pdf(whole)
            work.append(busy(own.process.pid) - before)
            memory.append(resident(own.process.pid))
        own._stop()
        assert work[1] < 5 * work[0]
        assert memory[1] < 1.5 * memory[0]


class TestKeys:
    @pytest.fixture
    def pending(self, make_application: MakeApplication) -> int:
        """An application that was submitted while all was well."""
        return make_application(status="pending")

    @pytest.fixture(params=REFUSALS)
    def refusal(
        self, request: pytest.FixtureRequest, pending: int, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> str:
        """Settings with which 江苏 cannot sign; the sentence that the reviewer gets."""
        match request.param:
            case "no key":
                app.config["SIGNING_KEY"] = str(tmp_path / "nothing")
            case "another passphrase":
                app.config["SIGNING_PASSPHRASE"] = "wrong"
            case "a key that has ended":
                monkeypatch.setattr(
                    "models.signing.keys.clock.now", lambda: datetime.fromisoformat("2199-01-01T00:00+08:00")
                )
        return REFUSALS[request.param]

    def test_a_grant_without_a_usable_key_is_refused(
        self, pending: int, client_as: Any, stored_rows: StoredRows, refusal: str
    ) -> None:
        """PD4: never an unsigned certificate; the refusal says so and changes nothing."""
        before = stored_rows(pending)
        answer = client_as("reviewer").post("/review/grant/", data={"id": pending}, follow_redirects=True)
        assert refusal in answer.text
        assert stored_rows(pending) == before
