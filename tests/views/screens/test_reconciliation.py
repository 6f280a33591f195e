"""The comparison of both ledgers, as the screen shows it."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from models import access, clock
from models.customs import reconciliation
from models.vocabulary import Difference
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import Invoke
from tests.views.customs_server import CustomsServer
from tests.views.screens.exchanged import only
from tests.views.screens.read_logs import columns_of, lines
from views.demo import simulator

ODD_ENTRY = [{"message_id": "Z-1", "accepted": "no", "day": "2026-01-01"}]  # a word that is true by itself


class TestReconciliation:
    @pytest.mark.slow
    def test_equal_ledgers_are_found_equal(
        self, make_application: MakeApplication, customs_server: CustomsServer, invoke: Invoke, client_as: Any
    ) -> None:
        """Messages not sent yet, and those never sent by us, are no difference."""
        make_application(status="customs_received")
        make_application(status="revoked")
        invoke("customs", "deliver")
        make_application(status="filed")
        done = invoke("customs", "reconcile")
        assert (done.exit_code, done.output) == (0, "双方台账一致。\n")
        assert "本省差异 0 处" in client_as("reviewer").get("/exchange/").text
        assert columns_of(lines(client_as("operator"), "operations", "kind=reconciled"), "数量") == [("0",)]

    @pytest.mark.slow
    def test_every_difference_of_either_side_is_named_and_shown(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
    ) -> None:
        """Missing there, missing here, not noted here, noted otherwise: each with its number, and status 1."""
        keys = [make_application(status="filed") for _ in range(3)]
        invoke("customs", "deliver")
        late = make_application(status="filed")
        lost, other, agreed, waiting = (only(stored_rows(key)) for key in (*keys, late))
        customs_server.tricks = [500]
        invoke("customs", "deliver")
        customs_server.forget(lost)
        customs_server.enter(other, accepted=False, day=clock.today())
        customs_server.enter("Z9920260000019-3", day=clock.today())
        done = invoke("customs", "reconcile")
        assert done.exit_code == 1
        assert sorted(done.output.splitlines()) == sorted(
            [
                f"{lost}：我方已有回执，海关台账中没有，请向海关核实。",
                f"{other}：双方记录的接收结果不同，请向海关核实。",
                f"{waiting}：海关已有结果，我方尚未登记回执，请查看投递是否在运行。",
                "Z9920260000019-3：海关台账中有，我方没有发送记录，请向海关核实。",
                "共 4 处差异，请逐项核实。",
            ]
        )
        page = client_as("reviewer").get("/exchange/").text
        assert "本省差异 3 处" in page
        assert "Z9920260000019-3" not in page
        assert f"{agreed}：" not in page
        page = client_as("operator").get("/traffic/").text
        counts = re.findall(r'col-(messages|ledger_entries|found)"[^>]*>\s*(\d+)', page)
        assert counts == [("messages", "4"), ("ledger_entries", "4"), ("found", "4")]
        assert "本省差异 0 处" in client_as("reviewer2").get("/exchange/").text

    @pytest.mark.slow
    def test_a_sent_message_missing_in_the_ledger_is_reported(
        self, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        """No answer is no agreement; what never left is no difference."""
        key = make_application(status="filed", title="测试等待")
        name = only(stored_rows(key))
        invoke("customs", "deliver")
        make_application(status="filed")
        customs_server.close()
        invoke("customs", "deliver")
        customs_server.open()
        done = invoke("customs", "reconcile")
        assert done.exit_code == 1
        assert done.output.startswith(f"{name}：我方已发送，尚无回执，海关台账中没有")
        assert len(done.output.splitlines()) == 2

    @pytest.mark.slow
    def test_a_duplicate_ledger_entry_is_reported(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
    ) -> None:
        """One message with two effects, which no status here would show."""
        name = only(stored_rows(make_application(status="filed")))
        invoke("customs", "deliver")
        with app.app_context(), access.everything() as session:
            found = customs_server.customs.entries() * 2
            row = reconciliation.reconcile(session, lambda _since, _until: found)
            assert row.differences_of() == [(name, Difference.DOUBLED)]

    @pytest.mark.slow
    def test_a_long_list_of_unknown_entries_is_reported_completely(self, app: Flask) -> None:
        """Longer than any statement takes parameters."""
        day = clock.today()
        shown = [{"message_id": f"Z99{n:011}-1", "accepted": True, "day": str(day)} for n in range(70_000)]
        with app.app_context(), access.everything() as session:
            assert reconciliation.reconcile(session, lambda _since, _until: shown, day).found == 70_000

    @pytest.mark.slow
    def test_a_day_is_compared_by_queuing_and_arrival(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
    ) -> None:
        """What customs received a day later than we queued it is on both sides."""
        key = make_application(status="filed")
        invoke("customs", "deliver")
        today, name = clock.today(), only(stored_rows(key))
        customs_server.enter(name, day=today + timedelta(days=1))
        with app.app_context(), access.everything() as session:
            row = reconciliation.reconcile(session, lambda _since, _until: customs_server.customs.entries(), today)
            assert (row.messages, row.differences_of()) == (1, [])
            empty = reconciliation.reconcile(session, lambda _since, _until: [], today - timedelta(days=1))
            assert (empty.messages, empty.ledger_entries, empty.found) == (0, 0, 0)
        customs_server.enter("Z9920260000019-3", day=date(2026, 1, 2))
        assert "Z9920260000019-3" in invoke("customs", "reconcile", "2026-01-02").output
        assert invoke("customs", "reconcile", "2026-01-03").output == "双方台账一致。\n"

    @pytest.mark.slow
    def test_an_unavailable_ledger_is_reported(
        self, customs_server: CustomsServer, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No ledger is no agreement."""
        for entries in ({"error": "忙"}, None, [{"accepted": True}], [1], ODD_ENTRY):
            monkeypatch.setattr(simulator.Customs, "entries", lambda *_args, entries=entries: entries)
            done = invoke("customs", "reconcile")
            assert (done.exit_code, done.output) == (1, "海关网关的应答不符合约定格式。\n"), entries
        customs_server.close()
        done = invoke("customs", "reconcile")
        assert (done.exit_code, done.output.startswith("海关网关没有应答（")) == (1, True)
        customs_server.open()
