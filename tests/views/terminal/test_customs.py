"""The exchange with customs over real HTTP, against the simulated customs."""

import os
import re
import subprocess
import sys
import time
from collections import Counter as Count
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from models import access, clock
from models.acts import filing
from models.application import Application
from models.customs import envelope, heartbeat, outbox
from models.database import db
from models.exchange import delivery, inbox
from models.vocabulary import Action, Reply, Status
from tests import ROOT
from tests.cast import make_papers
from tests.conftest import Acting, Making, Recording
from tests.views.conftest import Later, Typing
from tests.views.customs_house import House
from tests.views.faulty_customs import FaultInjection
from views.demo import simulator, simulator_transports
from views.resources import office
from views.terminal.customs import channel


def perform(acting: Acting, key: int, action: Action) -> None:
    """The province's act, committed."""
    with acting("reviewer") as by:
        filing.perform(db.session(), action, db.session.get_one(Application, key), by, "材料有误。", office=office())
        db.session.commit()


def status(record: dict[str, list[dict[str, Any]]]) -> Status:
    """The status of the application on record."""
    return Status(record["application"][0]["status"])


def messages(record: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The ids of its messages, oldest first."""
    return [row["message_id"] for row in record["customs_message"]]


def button_of(page: str, act: str) -> str:
    """The button of an act on a page."""
    (found,) = re.findall(rf'<button type="submit" form="act"[^>]*data-act="{act}"[^>]*>', page)
    return str(found)


class TestDelivery:
    def test_a_granted_certificate_is_received_by_customs(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        """海关接收成功: message, status and trail say so together."""
        key = make_application(status="filed")
        done = typed("customs", "deliver")
        records = on_record(key)
        (message,) = records["customs_message"]
        assert (done.exit_code, done.output) == (0, f"{message['message_id']}：接收成功 0000 已接收（模拟海关）\n")
        assert house.ledger() == [(message["message_id"], "grant", True)]
        assert status(records) is Status.CUSTOMS_RECEIVED
        assert (message["attempts"], message["accepted"], message["answer"]) == (1, True, "0000 已接收（模拟海关）")
        last = records["trail_entry"][-1]
        assert (last["act"], last["opinion"]) == ("customs_accepted", "0000 已接收（模拟海关）")

    def test_letters_are_signed_by_the_province(
        self, app: Flask, make_application: Making, house: House, typed: Typing
    ) -> None:
        """The simulated customs checks it where it has roots to trust; an unsigned letter is returned."""
        make_application(status="filed")
        with app.app_context():
            house.customs.trusted, parties = channel().keys.trusted(), channel().parties
        assert "接收成功" in typed("customs", "deliver").output
        question = envelope.question_xml("Z3220260000017-1")
        unsigned = envelope.enveloped("Z-1", envelope.QUESTION, clock.now(), question, parties)
        assert "签名验证失败" in (house.customs.take(unsigned) or b"").decode()

    def test_without_keys_nothing_is_sent_and_no_fault_is_counted(
        self, app: Flask, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        """PD4: never an unsigned message."""
        key = make_application(status="filed")
        app.config["SIGNING_KEY"] = "/nowhere"
        assert "江苏省新闻出版局的签章密钥不可用，报文不能签名发送" in typed("customs", "deliver").output
        (message,) = on_record(key)["customs_message"]
        assert (message["attempts"], message["faults"], message["sent_at"], house.asked) == (1, 0, None, [])

    def test_a_rejection_is_shown_with_its_code_and_can_be_resent(
        self,
        make_application: Making,
        on_record: Recording,
        acting: Acting,
        house: House,
        typed: Typing,
        as_: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """CU1: 海关接收失败 does not stop other messages, and says what to do next."""
        key, other = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        typed("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_FAILED
        assert status(on_record(other)) is Status.CUSTOMS_RECEIVED
        assert on_record(key)["trail_entry"][-1]["opinion"] == "2001 商品名称含“测试拒收”（模拟海关）"
        for page in (
            as_("reviewer").get(f"/filings/details/?id={key}"),
            as_("publisher").get(f"/applications/details/?id={key}"),
        ):
            assert "2001 商品名称含“测试拒收”（模拟海关）" in page.text
            assert "海关没有接收本证明" in page.text
        perform(acting, key, Action.RESEND)
        monkeypatch.setattr(simulator, "REFUSED_TITLE", "海关已改正")
        typed("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED
        first, second = messages(on_record(key))
        assert {(first, "grant", False), (second, "resend", True)} < set(house.ledger())

    def test_a_gateway_that_is_down_is_retried_and_nothing_is_set_aside(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later
    ) -> None:
        """CU14: every attempt is counted and noted; a failure of the gateway is no fault of a message."""
        key = make_application(status="filed")
        house.close()
        for _night in range(12):
            assert "未送达，稍后重试。海关网关没有应答" in typed("customs", "deliver").output
            waiting = typed("customs", "deliver")
            assert (waiting.exit_code, "未送达" in waiting.output) == (1, False)
            assert waiting.stderr == "还有 1 份报文没有送达，请查看原因后再次运行。\n"
            later()
        records = on_record(key)
        (message,) = records["customs_message"]
        assert (message["attempts"], message["faults"], message["sent_at"]) == (12, 0, None)
        assert len(records["customs_note"]) == 12
        assert message["answer"].startswith("未送达，稍后重试。海关网关没有应答")
        assert status(records) is Status.FILED
        house.open()
        arrived = typed("customs", "deliver")
        assert (arrived.exit_code, "接收成功" in arrived.output) == (0, True)
        assert house.customs.arrivals() == [message["message_id"]]
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED

    def test_a_silent_gateway_ends_the_round(self, make_application: Making, house: House, typed: Typing) -> None:
        """So that not every message waits for its own timeout."""
        for _ in range(5):
            make_application(status="filed")
        house.tricks = [503] * 5
        assert len(typed("customs", "deliver").stdout.splitlines()) == delivery.SILENCES

    def test_an_unanswered_message_is_queried_before_it_is_resent(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later
    ) -> None:
        """If customs has received it, its answer is fetched; otherwise it is sent again."""
        known, lost = make_application(status="filed"), make_application(status="filed")
        (first,), (second,) = messages(on_record(known)), messages(on_record(lost))
        house.tricks = [500, 500]
        typed("customs", "deliver")
        house.forget(second)
        assert [on_record(key)["customs_message"][0]["sent_at"] is not None for key in (known, lost)] == [True, True]
        later()
        typed("customs", "deliver")
        assert sorted(house.asked) == sorted([first, second, f"{first}-Q2", f"{second}-Q2", second])
        assert [status(on_record(key)) for key in (known, lost)] == [Status.CUSTOMS_RECEIVED] * 2

    def test_a_forwarded_message_waits_for_its_business_receipt(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later
    ) -> None:
        """A transport receipt decides nothing; customs is queried now and then, and nothing is resent."""
        key = make_application(status="filed", title="测试等待")
        (name,) = messages(on_record(key))
        assert "已转交，等待回执" in typed("customs", "deliver").output
        for _ in range(3):
            later()
            assert "已转交，等待回执" in typed("customs", "deliver").output
        assert house.customs.arrivals() == [name]
        content = simulator.receipt(name, "0", "", simulator.result(name, Reply.ACCEPTED, "0000", "已接收"))
        house.customs.post(name, content, 0)
        typed("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED
        assert house.customs.waiting() == []

    def test_a_message_that_keeps_failing_is_set_aside_shown_and_released_by_a_person(
        self,
        app: Flask,
        make_application: Making,
        on_record: Recording,
        house: House,
        typed: Typing,
        later: Later,
        as_: Any,
    ) -> None:
        """CU1, CU2, CU14: the others arrive; this one is not sent, is reported by /healthz, and can be released."""
        key, *others = (make_application(status="filed") for _ in range(4))
        make_papers(app)
        (name,) = messages(on_record(key))
        fault = simulator.receipt(name, "-1201001", "报文格式错误")
        for _ in range(10):
            house.tricks = [fault]
            assert f"{name}：传输失败 -1201001 报文格式错误" in typed("customs", "deliver").output
            later()
        assert [status(on_record(other)) for other in others] == [Status.CUSTOMS_RECEIVED] * 3
        (message,) = on_record(key)["customs_message"]
        assert (message["faults"], message["set_aside_at"] is not None) == (10, True)
        asked = len(house.asked)
        later()
        assert (typed("customs", "deliver").output, len(house.asked)) == ("", asked)
        sick = as_(None).get("/healthz")
        assert (sick.status_code, sick.text) == (503, "set_aside\n")
        assert "已搁置" in as_("reviewer").get("/exchange/").text
        assert as_("reviewer2").post("/exchange/release/", data={"id": message["id"]}).status_code == 404
        assert as_("reviewer").post("/exchange/release/", data={"id": message["id"]}).status_code == 303
        records = on_record(key)
        assert (records["trail_entry"][-1]["act"], records["trail_entry"][-1]["opinion"]) == ("release", name)
        typed("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED
        assert as_(None).get("/healthz").text == "ok\n"

    def test_a_message_that_cannot_be_written_does_not_stop_the_others(
        self, app: Flask, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        """CU1, CU2: the others arrive, and the reason is noted on this one."""
        first, bad, last = (make_application(status="filed") for _ in range(3))
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text(f"UPDATE customs_message SET message_id = '坏' WHERE application_id = {bad}"))
        assert typed("customs", "deliver").exit_code == 1
        received = [status(on_record(key)) is Status.CUSTOMS_RECEIVED for key in (first, bad, last)]
        assert received == [True, False, True]
        (message,) = on_record(bad)["customs_message"]
        assert "DocumentInvalid" in message["answer"]
        assert (message["faults"], message["sent_at"]) == (1, None)

    def test_a_revocation_follows_the_grant_and_waits_while_it_fails(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later
    ) -> None:
        """CU11: customs gets both in order; its answer to the first no longer changes the status."""
        key = make_application(status="revoked")
        grant, revocation = messages(on_record(key))
        house.close()
        typed("customs", "deliver")
        house.open()
        assert house.asked == []
        later()
        typed("customs", "deliver")
        assert house.ledger() == [(grant, "grant", True), (revocation, "revoke", True)]
        records = on_record(key)
        assert status(records) is Status.REVOKED
        assert [row["accepted"] for row in records["customs_message"]] == [True, True]
        assert records["trail_entry"][-1]["act"] == "revoke"

    def test_a_revocation_that_customs_rejects_is_reported_and_resent(
        self,
        make_application: Making,
        on_record: Recording,
        acting: Acting,
        house: House,
        typed: Typing,
        as_: Any,
    ) -> None:
        """CU1, CU11: /healthz reports it, both roles see what it means, and 重发 sends the revocation again."""
        key = make_application(status="filed")
        typed("customs", "deliver")
        perform(acting, key, Action.REVOKE)
        details = f"/filings/details/?id={key}"
        assert "aria-disabled" in button_of(as_("reviewer").get(details).text, "resend")
        house.customs.faults = FaultInjection({"rejected": 1.0})
        typed("customs", "deliver")
        house.customs.faults = FaultInjection()
        assert as_(None).get("/healthz").text == "rejected\n"
        assert "1 份作废通知海关没有接收" in as_("reviewer").get("/exchange/").text
        assert "1 份作废通知海关没有接收" not in as_("reviewer2").get("/exchange/").text
        for person, page in (("reviewer", details), ("publisher", f"/applications/details/?id={key}")):
            assert "海关没有接收本证明的作废通知" in as_(person).get(page).text
        assert "aria-disabled" not in button_of(as_("reviewer").get(details).text, "resend")
        before = on_record(key)
        for _twice in range(2):
            assert as_("reviewer").post("/filings/resend/", data={"id": key}).status_code == 303
        after = on_record(key)
        assert status(after) is status(before) is Status.REVOKED
        assert [entry["act"] for entry in after["trail_entry"][len(before["trail_entry"]) :]] == ["resend"]
        assert [row["act"] for row in after["customs_message"]] == ["grant", "revoke", "revoke"]
        assert len(set(messages(after))) == 3
        typed("customs", "deliver")
        assert house.ledger()[-1] == (messages(after)[-1], "revoke", True)
        assert as_(None).get("/healthz").text == "ok\n"
        assert "海关没有接收本证明的作废通知" not in as_("publisher").get(f"/applications/details/?id={key}").text

    def test_a_rejected_revocation_of_a_rejected_certificate_is_not_reported(
        self, make_application: Making, acting: Acting, house: House, typed: Typing, as_: Any
    ) -> None:
        """Customs has not accepted the certificate either: there is nothing to withdraw."""
        key = make_application(status="filed")
        house.customs.faults = FaultInjection({"rejected": 1.0})
        typed("customs", "deliver")
        perform(acting, key, Action.REVOKE)
        typed("customs", "deliver")
        assert as_(None).get("/healthz").text == "ok\n"

    def test_a_deliverer_that_dies_before_it_notes_the_answer_causes_no_second_arrival(
        self, app: Flask, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later
    ) -> None:
        """CU4, RC6: the next deliverer queries, customs repeats its answer: one effect, one arrival."""
        key = make_application(status="filed", title="测试拒收")
        with app.app_context(), access.everything() as session:
            message = outbox.claim(session, channel().pace)
            assert message is not None
            channel().gateway.send(*delivery.build_letter(message, channel()))
        later()
        typed("customs", "deliver")
        (name,) = messages(on_record(key))
        assert house.customs.arrivals() == [name]
        assert status(on_record(key)) is Status.CUSTOMS_FAILED

    def test_the_rate_limit_of_customs_is_respected(
        self, app: Flask, make_application: Making, house: House, typed: Typing, later: Later
    ) -> None:
        """The E-port accepts fewer than 100 messages a minute, from all deliverers together."""
        app.config["CUSTOMS_PACE"] = {"per_minute": 2}
        for _ in range(3):
            make_application(status="filed")
        assert [len(typed("customs", "deliver").output.splitlines()) for _ in range(2)] == [2, 0]
        later()
        assert len(typed("customs", "deliver").output.splitlines()) == 1

    def test_watching_deliverers_send_each_message_once(
        self, app: Flask, make_application: Making, on_record: Recording, house: House
    ) -> None:
        """RC8: two processes that watch the same outbox while it fills."""
        records = {"SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY", "CUSTOMS_GATEWAY", "SIGNING_KEY"}
        settings = {f"FILING_{name}": str(app.config[name]) for name in records}
        command = [sys.executable, "-m", "flask", "--app", "app", "customs", "deliver", "--watch"]
        people = [subprocess.Popen(command, cwd=ROOT, env=os.environ | settings) for _ in range(2)]
        try:
            keys = [make_application(status="filed") for _ in range(8)]
            ended = time.monotonic() + 60
            while time.monotonic() < ended and len(house.ledger()) < len(keys):
                time.sleep(0.1)
            time.sleep(0.5)
            assert all(person.poll() is None for person in people)
        finally:
            for person in people:
                person.terminate()
                person.wait()
        assert [status(on_record(key)) for key in keys] == [Status.CUSTOMS_RECEIVED] * len(keys)
        assert Count(house.asked) == Count(messages(on_record(key))[0] for key in keys)

    @pytest.mark.parametrize(
        "status_", [301, 302, 400, 401, 403, 404, 407, 429, 451, 500, 502, 503, b"<html>login</html>"]
    )
    def test_transport_failures_set_nothing_aside_and_lead_to_a_query(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later, status_: Any
    ) -> None:
        """A wrong address, an expired client certificate, a page of some proxy: no message is at fault for that."""
        keys = [make_application(status="filed") for _ in range(4)]
        for _ in range(3):
            house.tricks = [status_] * 9
            assert len(typed("customs", "deliver").stdout.splitlines()) == delivery.SILENCES
            later()
        rows = [on_record(key)["customs_message"][0] for key in keys]
        assert {row["faults"] for row in rows} == {0}
        assert rows[0]["answer"].startswith("没有得到")
        assert "稍后先查询是否收到" in rows[0]["answer"]
        house.tricks = []
        for _ in range(3):
            typed("customs", "deliver")
            later()
        assert [status(on_record(key)) for key in keys] == [Status.CUSTOMS_RECEIVED] * 4
        assert sorted(house.customs.arrivals()) == sorted(row["message_id"] for row in rows)

    @pytest.mark.parametrize("status_", [413, 422])
    def test_a_message_refused_by_status_counts_a_fault(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, status_: int
    ) -> None:
        """The others are not stopped, and the reason is noted."""
        bad, good = make_application(status="filed"), make_application(status="filed")
        house.tricks = [status_]
        typed("customs", "deliver")
        (row,) = on_record(bad)["customs_message"]
        assert (row["faults"], row["answer"]) == (1, f"海关拒收报文。海关网关应答状态 {status_}。稍后重试。")
        assert status(on_record(good)) is Status.CUSTOMS_RECEIVED

    def test_an_internal_error_after_a_send_is_no_fault_and_shows_no_details(
        self,
        make_application: Making,
        on_record: Recording,
        house: House,
        typed: Typing,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The letter arrived, but the answer could not be stored: a query follows; the note has no exception text."""
        key = make_application(status="filed")

        def broken(*_args: Any) -> list[str]:
            raise OperationalError("SELECT secret", {}, Exception("database is locked"))

        monkeypatch.setattr(inbox, "store_and_process", broken)
        typed("customs", "deliver")
        monkeypatch.undo()
        (row,) = on_record(key)["customs_message"]
        assert (row["faults"], row["set_aside_at"], row["sent_in"]) == (0, None, 1)
        assert "SELECT" not in row["answer"]
        assert row["answer"].startswith("没有得到可用的应答，稍后先查询是否收到。")
        later()
        later()
        typed("customs", "deliver")
        assert house.customs.arrivals() == [row["message_id"]]

    def test_an_answer_about_another_message_is_not_applied_to_this_one(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        """Z…-5 is not Z…-50."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        content = simulator.result(f"{name}0", Reply.ACCEPTED, "0000", "")
        house.tricks = [simulator.receipt(f"{name}0", "0", "", content)]
        typed("customs", "deliver")
        (row,) = on_record(key)["customs_message"]
        assert (row["answered_at"], row["answer"][:10]) == (None, "没有得到可用的应答，")

    def test_a_deliverer_whose_claim_has_expired_sends_nothing(
        self, app: Flask, make_application: Making, on_record: Recording, house: House
    ) -> None:
        """Another deliverer may have claimed the message and queried it: a late letter would arrive twice."""
        key = make_application(status="filed")
        with app.app_context(), access.everything() as session:
            message = outbox.claim(session, outbox.Pace(lease=-1))
            assert message is not None
            assert "办理时限已过" in delivery.attempt(session, channel(), message).words
        assert (house.asked, status(on_record(key))) == ([], Status.FILED)

    @pytest.mark.parametrize("content", [b"null", b"{}", b'"Z-1"', b"[1]", b"[null]", b"[[]]", b'["\\ud800"]', b"\xff"])
    def test_a_malformed_list_of_receipts_does_not_stop_sending(
        self, make_application: Making, house: House, typed: Typing, monkeypatch: pytest.MonkeyPatch, content: bytes
    ) -> None:
        """An error while fetching receipts must not stop sending."""
        make_application(status="filed")
        monkeypatch.setattr(simulator_transports.GatewayHandler, "reply_json", lambda self, _value: self.reply(content))
        done = typed("customs", "deliver")
        assert (done.exit_code, len(house.ledger())) == (0, 1)
        assert ("不符合约定格式" in done.output) is (content != b'["\\ud800"]')

    def test_letters_and_queries_share_the_rate_limit(
        self, app: Flask, make_application: Making, house: House, typed: Typing, later: Later
    ) -> None:
        """A query is a letter too."""
        keys = [make_application(status="filed") for _ in range(3)]
        house.tricks = [503, 503, 503]
        typed("customs", "deliver")
        later()
        app.config["CUSTOMS_PACE"] = {"per_minute": 4}
        house.customs.run("DELETE FROM entry")
        house.customs.run("DELETE FROM arrival")
        before = len(house.asked)
        for _ in range(3):
            typed("customs", "deliver")
        assert len(house.asked) - before == 4 < 2 * len(keys)

    @pytest.mark.parametrize("command", ["deliver", "reconcile"])
    def test_without_a_gateway_a_command_says_so_and_sends_nothing(self, typed: Typing, command: str) -> None:
        """One sentence that says what to do, and status 2."""
        done = typed("customs", command)
        assert (done.exit_code, done.output) == (2, "尚未设置海关网关，请设置 FILING_CUSTOMS_GATEWAY 后再试。\n")

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("ftp://customs", "请改正后再试"),
            ("http://customs.example/", "http:// 没有加密，只能用于本机"),
            ("http://127.0.0.1.example/", "http:// 没有加密，只能用于本机"),
            ("https://customs.example/", "请设置 FILING_CUSTOMS_CLIENT"),
        ],
    )
    def test_an_invalid_or_unencrypted_gateway_is_refused_with_a_sentence(
        self, app: Flask, typed: Typing, address: str, words: str
    ) -> None:
        """Nothing leaves this machine unencrypted, or without a client certificate."""
        app.config["CUSTOMS_GATEWAY"] = address
        done = typed("customs", "deliver")
        assert (done.exit_code, words in done.output) == (1, True)


class TestHealth:
    def test_an_empty_outbox_is_healthy(self, as_: Any) -> None:
        answer = as_(None).get("/healthz")
        assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")

    @pytest.mark.parametrize(("seconds", "word"), [(3590, "ok\n"), (3610, "overdue\n")])
    def test_a_message_that_waits_too_long_is_overdue(
        self, app: Flask, make_application: Making, as_: Any, monkeypatch: pytest.MonkeyPatch, seconds: int, word: str
    ) -> None:
        """CU3: from `overdue` on, while a deliverer is running."""
        make_application(status="filed")
        make_papers(app)
        really = clock.now
        monkeypatch.setattr(clock, "now", lambda: really() + timedelta(seconds=seconds))
        with app.app_context(), access.everything() as session:
            heartbeat.record(session)
        assert as_(None).get("/healthz").text == word

    def test_a_missing_store_is_reported_as_one_word(self, app: Flask, as_: Any, tmp_path: Path) -> None:
        """No path, no address, no version."""
        (tmp_path / "file").touch()
        app.config["STORE"] = str(tmp_path / "file" / "store")
        answer = as_(None).get("/healthz")
        assert (answer.status_code, answer.text) == (503, "store\n")
