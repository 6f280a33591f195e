"""Messages that customs or the way to it fails: tried again, set aside, never applied to another."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from models.database import db
from models.exchange import delivery, inbox
from models.vocabulary import Reply, Status
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.customs_server import CustomsServer
from tests.views.terminal.delivered import messages, status
from views.demo import simulator, simulator_transports


class TestFaults:
    def test_an_unavailable_gateway_is_retried_and_no_message_is_set_aside(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """CU14: every attempt is counted and noted; a failure of the gateway is no fault of a message."""
        key = make_application(status="filed")
        customs_server.close()
        for _night in range(12):
            assert "未送达，稍后重试。海关网关没有应答" in invoke("customs", "deliver").output
            waiting = invoke("customs", "deliver")
            assert (waiting.exit_code, "未送达" in waiting.output) == (1, False)
            assert waiting.stderr == "还有 1 份报文没有送达，请查看原因后再次运行。\n"
            advance_clock()
        records = stored_rows(key)
        (message,) = records["customs_message"]
        assert (message["attempts"], message["faults"], message["sent_at"]) == (12, 0, None)
        assert len(records["customs_note"]) == 12
        assert message["answer"].startswith("未送达，稍后重试。海关网关没有应答")
        assert status(records) is Status.FILED
        customs_server.open()
        arrived = invoke("customs", "deliver")
        assert (arrived.exit_code, "接收成功" in arrived.output) == (0, True)
        assert customs_server.customs.arrivals() == [message["message_id"]]
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED

    def test_a_silent_gateway_ends_the_round(
        self, make_application: MakeApplication, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        """So that not every message waits for its own timeout."""
        for _ in range(5):
            make_application(status="filed")
        customs_server.tricks = [503] * 5
        assert len(invoke("customs", "deliver").stdout.splitlines()) == delivery.SILENCES

    def test_a_message_that_keeps_failing_is_set_aside_and_requeued_by_a_person(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        client_as: Any,
    ) -> None:
        """CU1, CU2, CU14: the others arrive; this one is not sent, is reported by /healthz, and can be released."""
        key, *others = (make_application(status="filed") for _ in range(4))
        make_papers(app)
        (name,) = messages(stored_rows(key))
        fault = simulator.receipt(name, "-1201001", "报文格式错误")
        for _ in range(10):
            customs_server.tricks = [fault]
            assert f"{name}：传输失败 -1201001 报文格式错误" in invoke("customs", "deliver").output
            advance_clock()
        assert [status(stored_rows(other)) for other in others] == [Status.CUSTOMS_RECEIVED] * 3
        (message,) = stored_rows(key)["customs_message"]
        assert (message["faults"], message["set_aside_at"] is not None) == (10, True)
        asked = len(customs_server.asked)
        advance_clock()
        assert (invoke("customs", "deliver").output, len(customs_server.asked)) == ("", asked)
        sick = client_as(None).get("/healthz")
        assert (sick.status_code, sick.text) == (503, "set_aside\n")
        assert "已搁置" in client_as("reviewer").get("/exchange/").text
        assert client_as("reviewer2").post("/exchange/release/", data={"id": message["id"]}).status_code == 404
        assert client_as("reviewer").post("/exchange/release/", data={"id": message["id"]}).status_code == 303
        records = stored_rows(key)
        assert (records["trail_entry"][-1]["act"], records["trail_entry"][-1]["opinion"]) == ("release", name)
        invoke("customs", "deliver")
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED
        assert client_as(None).get("/healthz").text == "ok\n"

    def test_a_message_that_cannot_be_written_does_not_stop_the_others(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
    ) -> None:
        """CU1, CU2: the others arrive, and the reason is noted on this one."""
        first, bad, last = (make_application(status="filed") for _ in range(3))
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text(f"UPDATE customs_message SET message_id = '坏' WHERE application_id = {bad}"))
        assert invoke("customs", "deliver").exit_code == 1
        received = [status(stored_rows(key)) is Status.CUSTOMS_RECEIVED for key in (first, bad, last)]
        assert received == [True, False, True]
        (message,) = stored_rows(bad)["customs_message"]
        assert "DocumentInvalid" in message["answer"]
        assert (message["faults"], message["sent_at"]) == (1, None)

    @pytest.mark.parametrize(
        "status_", [301, 302, 400, 401, 403, 404, 407, 429, 451, 500, 502, 503, b"<html>login</html>"]
    )
    def test_transport_failures_set_nothing_aside_and_lead_to_a_query(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        status_: Any,
    ) -> None:
        """A wrong address, an expired client certificate, a page of some proxy: no message is at fault for that."""
        keys = [make_application(status="filed") for _ in range(4)]
        for _ in range(3):
            customs_server.tricks = [status_] * 9
            assert len(invoke("customs", "deliver").stdout.splitlines()) == delivery.SILENCES
            advance_clock()
        rows = [stored_rows(key)["customs_message"][0] for key in keys]
        assert {row["faults"] for row in rows} == {0}
        assert rows[0]["answer"].startswith("没有得到")
        assert "稍后先查询是否收到" in rows[0]["answer"]
        customs_server.tricks = []
        for _ in range(3):
            invoke("customs", "deliver")
            advance_clock()
        assert [status(stored_rows(key)) for key in keys] == [Status.CUSTOMS_RECEIVED] * 4
        assert sorted(customs_server.customs.arrivals()) == sorted(row["message_id"] for row in rows)

    @pytest.mark.parametrize("status_", [413, 422])
    def test_a_message_refused_by_http_status_counts_a_failure(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        status_: int,
    ) -> None:
        """The others are not stopped, and the reason is noted."""
        bad, good = make_application(status="filed"), make_application(status="filed")
        customs_server.tricks = [status_]
        invoke("customs", "deliver")
        (row,) = stored_rows(bad)["customs_message"]
        assert (row["faults"], row["answer"]) == (1, f"海关拒收报文。海关网关应答状态 {status_}。稍后重试。")
        assert status(stored_rows(good)) is Status.CUSTOMS_RECEIVED

    def test_an_internal_error_after_a_send_counts_no_failure_and_shows_no_details(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The letter arrived, but the answer could not be stored: a query follows; the note has no exception text."""
        key = make_application(status="filed")

        def broken(*_args: Any) -> list[str]:
            raise OperationalError("SELECT secret", {}, Exception("database is locked"))

        monkeypatch.setattr(inbox, "store_and_process", broken)
        invoke("customs", "deliver")
        monkeypatch.undo()
        (row,) = stored_rows(key)["customs_message"]
        assert (row["faults"], row["set_aside_at"], row["sent_in"]) == (0, None, 1)
        assert "SELECT" not in row["answer"]
        assert row["answer"].startswith("没有得到可用的应答，稍后先查询是否收到。")
        advance_clock()
        advance_clock()
        invoke("customs", "deliver")
        assert customs_server.customs.arrivals() == [row["message_id"]]

    def test_an_answer_about_another_message_is_not_applied_to_this_one(
        self, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        """Z…-5 is not Z…-50."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        content = simulator.result(f"{name}0", Reply.ACCEPTED, "0000", "")
        customs_server.tricks = [simulator.receipt(f"{name}0", "0", "", content)]
        invoke("customs", "deliver")
        (row,) = stored_rows(key)["customs_message"]
        assert (row["answered_at"], row["answer"][:10]) == (None, "没有得到可用的应答，")

    @pytest.mark.parametrize("content", [b"null", b"{}", b'"Z-1"', b"[1]", b"[null]", b"[[]]", b'["\\ud800"]', b"\xff"])
    def test_a_malformed_list_of_receipts_does_not_stop_sending(
        self,
        make_application: MakeApplication,
        customs_server: CustomsServer,
        invoke: Invoke,
        monkeypatch: pytest.MonkeyPatch,
        content: bytes,
    ) -> None:
        """An error while fetching receipts must not stop sending."""
        make_application(status="filed")
        monkeypatch.setattr(simulator_transports.GatewayHandler, "reply_json", lambda self, _value: self.reply(content))
        done = invoke("customs", "deliver")
        assert (done.exit_code, len(customs_server.ledger())) == (0, 1)
        assert ("不符合约定格式" in done.output) is (content != b'["\\ud800"]')
