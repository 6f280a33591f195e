"""The exchange with customs over real HTTP, against the simulated customs."""

import re
from typing import Any

import pytest
from flask import Flask

from models import clock
from models.acts import filing
from models.application import Application
from models.customs import envelope
from models.database import db
from models.vocabulary import Action, Reply, Status
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.customs_server import CustomsServer
from tests.views.faulty_customs import FaultInjection
from tests.views.terminal.delivered import messages, status
from views.demo import simulator
from views.resources import office
from views.terminal.customs import channel


def perform(act_as: ActAs, key: int, action: Action) -> None:
    """The province's act, committed."""
    with act_as("reviewer") as by:
        filing.perform(db.session(), action, db.session.get_one(Application, key), by, "材料有误。", office=office())
        db.session.commit()


def button_of(page: str, act: str) -> str:
    """The button of an act on a page."""
    (found,) = re.findall(rf'<button type="submit" form="act"[^>]*data-act="{act}"[^>]*>', page)
    return str(found)


class TestDelivery:
    def test_a_granted_certificate_is_received_by_customs(
        self, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        """海关接收成功: message, status and trail agree."""
        key = make_application(status="filed")
        done = invoke("customs", "deliver")
        records = stored_rows(key)
        (message,) = records["customs_message"]
        assert (done.exit_code, done.output) == (0, f"{message['message_id']}：接收成功 0000 已接收（模拟海关）\n")
        assert customs_server.ledger() == [(message["message_id"], "grant", True)]
        assert status(records) is Status.CUSTOMS_RECEIVED
        assert (message["attempts"], message["accepted"], message["answer"]) == (1, True, "0000 已接收（模拟海关）")
        last = records["trail_entry"][-1]
        assert (last["act"], last["opinion"]) == ("customs_accepted", "0000 已接收（模拟海关）")

    def test_the_simulator_reports_a_use_at_once_for_a_test_title(
        self, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        records = stored_rows(make_application(status="filed", title="测试核销"))
        assert invoke("customs", "deliver").exit_code == 0
        records = stored_rows(records["application"][0]["id"])
        assert [row["usage"] for row in records["certificate_use"]] == ["noted", "used_up"]
        assert status(records) is Status.CUSTOMS_RECEIVED

    def test_messages_are_signed_by_the_province(
        self, app: Flask, make_application: MakeApplication, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        """The simulated customs checks it where it has roots to trust; an unsigned letter is returned."""
        make_application(status="filed")
        with app.app_context():
            customs_server.customs.trusted, parties = channel().keys.trusted(), channel().parties
        assert "接收成功" in invoke("customs", "deliver").output
        question = envelope.question_xml("Z3220260000017-1")
        unsigned = envelope.enveloped("Z-1", envelope.QUESTION, clock.now(), question, parties)
        assert "签名验证失败" in (customs_server.customs.take(unsigned) or b"").decode()

    def test_a_delivery_without_keys_sends_nothing_and_counts_no_failure(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
    ) -> None:
        """PD4: never an unsigned message."""
        key = make_application(status="filed")
        app.config["SIGNING_KEY"] = "/nowhere"
        assert "江苏省新闻出版局的签章密钥不可用，报文不能签名发送" in invoke("customs", "deliver").output
        (message,) = stored_rows(key)["customs_message"]
        assert (message["attempts"], message["faults"], message["sent_at"], customs_server.asked) == (1, 0, None, [])

    def test_a_rejection_is_shown_with_its_code_and_can_be_resent(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        act_as: ActAs,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """CU1: 海关接收失败 does not stop other messages, and names the next step."""
        key, other = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        invoke("customs", "deliver")
        assert status(stored_rows(key)) is Status.CUSTOMS_FAILED
        assert status(stored_rows(other)) is Status.CUSTOMS_RECEIVED
        assert stored_rows(key)["trail_entry"][-1]["opinion"] == "2001 商品名称含“测试拒收”（模拟海关）"
        for page in (
            client_as("reviewer").get(f"/filings/details/?id={key}"),
            client_as("publisher").get(f"/applications/details/?id={key}"),
        ):
            assert "2001 商品名称含“测试拒收”（模拟海关）" in page.text
            assert "海关没有接收本证明" in page.text
        perform(act_as, key, Action.RESEND)
        monkeypatch.setattr(simulator, "REFUSED_TITLE", "海关已改正")
        invoke("customs", "deliver")
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED
        first, second = messages(stored_rows(key))
        assert {(first, "grant", False), (second, "resend", True)} < set(customs_server.ledger())

    def test_an_unanswered_message_is_queried_before_it_is_resent(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """If customs has received it, its answer is fetched; otherwise it is sent again."""
        known, lost = make_application(status="filed"), make_application(status="filed")
        (first,), (second,) = messages(stored_rows(known)), messages(stored_rows(lost))
        customs_server.tricks = [500, 500]
        invoke("customs", "deliver")
        customs_server.forget(second)
        assert [stored_rows(key)["customs_message"][0]["sent_at"] is not None for key in (known, lost)] == [True, True]
        advance_clock()
        invoke("customs", "deliver")
        assert sorted(customs_server.asked) == sorted([first, second, f"{first}-Q2", f"{second}-Q2", second])
        assert [status(stored_rows(key)) for key in (known, lost)] == [Status.CUSTOMS_RECEIVED] * 2

    def test_a_forwarded_message_waits_for_its_business_receipt(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """A transport receipt decides nothing; customs is queried from time to time, and nothing is resent."""
        key = make_application(status="filed", title="测试等待")
        (name,) = messages(stored_rows(key))
        assert "已转交，等待回执" in invoke("customs", "deliver").output
        for _ in range(3):
            advance_clock()
            assert "已转交，等待回执" in invoke("customs", "deliver").output
        assert customs_server.customs.arrivals() == [name]
        content = simulator.receipt(name, "0", "", simulator.result(name, Reply.ACCEPTED, "0000", "已接收"))
        customs_server.customs.post(name, content, 0)
        invoke("customs", "deliver")
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED
        assert customs_server.customs.waiting() == []

    def test_a_revocation_follows_the_grant_and_waits_while_it_fails(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """CU11: customs gets both in order; its answer to the first no longer changes the status."""
        key = make_application(status="revoked")
        grant, revocation = messages(stored_rows(key))
        customs_server.close()
        invoke("customs", "deliver")
        customs_server.open()
        assert customs_server.asked == []
        advance_clock()
        invoke("customs", "deliver")
        assert customs_server.ledger() == [(grant, "grant", True), (revocation, "revoke", True)]
        records = stored_rows(key)
        assert status(records) is Status.REVOKED
        assert [row["accepted"] for row in records["customs_message"]] == [True, True]
        assert records["trail_entry"][-1]["act"] == "revoke"

    def test_a_revocation_rejected_by_customs_is_reported_and_resent(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        act_as: ActAs,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
    ) -> None:
        """CU1, CU11: /healthz reports it, both roles see its meaning, and 重发 sends the revocation again."""
        key = make_application(status="filed")
        invoke("customs", "deliver")
        perform(act_as, key, Action.REVOKE)
        details = f"/filings/details/?id={key}"
        assert "aria-disabled" in button_of(client_as("reviewer").get(details).text, "resend")
        customs_server.customs.faults = FaultInjection({"rejected": 1.0})
        invoke("customs", "deliver")
        customs_server.customs.faults = FaultInjection()
        assert client_as(None).get("/healthz").text == "rejected\n"
        assert "1 份作废通知海关没有接收" in client_as("reviewer").get("/exchange/").text
        assert "1 份作废通知海关没有接收" not in client_as("reviewer2").get("/exchange/").text
        for person, page in (("reviewer", details), ("publisher", f"/applications/details/?id={key}")):
            assert "海关没有接收本证明的作废通知" in client_as(person).get(page).text
        assert "aria-disabled" not in button_of(client_as("reviewer").get(details).text, "resend")
        before = stored_rows(key)
        for _twice in range(2):
            assert client_as("reviewer").post("/filings/resend/", data={"id": key}).status_code == 303
        after = stored_rows(key)
        assert status(after) is status(before) is Status.REVOKED
        assert [entry["act"] for entry in after["trail_entry"][len(before["trail_entry"]) :]] == ["resend"]
        assert [row["act"] for row in after["customs_message"]] == ["grant", "revoke", "revoke"]
        assert len(set(messages(after))) == 3
        invoke("customs", "deliver")
        assert customs_server.ledger()[-1] == (messages(after)[-1], "revoke", True)
        assert client_as(None).get("/healthz").text == "ok\n"
        assert "海关没有接收本证明的作废通知" not in client_as("publisher").get(f"/applications/details/?id={key}").text

    def test_a_rejected_revocation_of_a_rejected_certificate_is_not_reported(
        self,
        make_application: MakeApplication,
        act_as: ActAs,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
    ) -> None:
        """Customs has not accepted the certificate either: there is nothing to withdraw."""
        key = make_application(status="filed")
        customs_server.customs.faults = FaultInjection({"rejected": 1.0})
        invoke("customs", "deliver")
        perform(act_as, key, Action.REVOKE)
        invoke("customs", "deliver")
        assert client_as(None).get("/healthz").text == "ok\n"
