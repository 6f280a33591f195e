"""久未回执: an unanswered message is shown, queried, set aside, or settled by hand; no dead end."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from models import access, clock
from models.customs import heartbeat
from models.vocabulary import Action, Reply, Status
from tests.cast import make_papers
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.customs_server import CustomsServer
from tests.views.pages import flashed
from tests.views.terminal.delivered import messages, status
from tests.views.terminal.test_customs import perform
from views.demo import simulator

WORDS = "电话向南京海关核实。"


@pytest.fixture
def unanswered_message(
    app: Flask,
    make_application: MakeApplication,
    customs_server: CustomsServer,
    invoke: Invoke,
    advance_clock: AdvanceClock,
    stored_rows: StoredRows,
) -> tuple[int, str, int]:
    """(application, message id, number of the message) of one that was sent two hours ago to a customs that says
    nothing; an hour is long."""
    app.config["CUSTOMS_PACE"] = {"unanswered": 3600}
    key = make_application(status="filed")
    customs_server.tricks = [503]
    invoke("customs", "deliver")
    (message,) = stored_rows(key)["customs_message"]
    return key, message["message_id"], message["id"]


@pytest.mark.slow
def test_a_message_that_waits_too_long_is_reported(
    unanswered_message: tuple[int, str, int], advance_clock: AdvanceClock, client_as: Any
) -> None:
    """In 数据交换, in the case for both sides, in /healthz; not before."""
    key, name, number = unanswered_message
    pages = {
        "reviewer": ("/exchange/", f"/exchange/details/?id={number}", f"/filings/details/?id={key}"),
        "publisher": (f"/applications/details/?id={key}",),
        "national": (f"/register/details/?id={key}",),
        "operator": ("/traffic/",),
    }
    for late in (False, True):
        for who, paths in pages.items():
            for path in paths:
                page = client_as(who).get(path).text
                shown = "久未收到海关回执" in page or "海关久未回执" in page or 'warning">久未回执' in page
                assert shown == late, (who, path)
        listed = client_as("reviewer").get("/exchange/?state=unanswered").text
        assert (f">{name}<" in listed) == late
        assert ("unanswered" in client_as(None).get("/healthz").text) == late
        advance_clock()
    assert "久未收到海关回执" not in client_as("reviewer2").get("/exchange/").text
    assert "至今没有回执。 请与省级主管部门联系，无需" in client_as("publisher").get(pages["publisher"][0]).text
    assert "申请单位：请与省级主管部门联系，无需" in client_as("reviewer").get(pages["reviewer"][-1]).text


@pytest.mark.slow
def test_an_unanswered_message_can_be_queried_at_once(
    unanswered_message: tuple[int, str, int],
    customs_server: CustomsServer,
    invoke: Invoke,
    stored_rows: StoredRows,
    client_as: Any,
) -> None:
    """Before the pause is over; customs has it, and answers."""
    key, name, number = unanswered_message
    assert invoke("customs", "deliver").output == "", "the pause is not over"
    assert client_as("reviewer").post("/exchange/ask/", data={"id": number}).status_code == 303
    again = client_as("reviewer")
    again.post("/exchange/ask/", data={"id": number, "url": f"/exchange/details/?id={number}"})
    assert flashed(again.get("/exchange/").text) == ["查询已经安排，无需重复；结果会显示在报文页面。"]
    invoke("customs", "deliver")
    assert customs_server.asked == [name, f"{name}-Q2"]
    assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED
    assert [entry["act"] for entry in stored_rows(key)["trail_entry"]][-2:] == ["ask", "customs_accepted"]


@pytest.mark.slow
def test_a_message_set_aside_is_no_longer_queried_and_still_accepts_a_receipt(
    unanswered_message: tuple[int, str, int],
    customs_server: CustomsServer,
    invoke: Invoke,
    advance_clock: AdvanceClock,
    stored_rows: StoredRows,
    client_as: Any,
) -> None:
    key, name, number = unanswered_message
    advance_clock()
    assert client_as("reviewer").post("/exchange/set-aside/", data={"id": number}).status_code == 303
    advance_clock()
    invoke("customs", "deliver")
    assert customs_server.asked == [name]
    found = simulator.receipt(name, "0", "", simulator.result(name, Reply.ACCEPTED, "0000", ""))
    customs_server.customs.post(name, found, 0)
    invoke("customs", "deliver")
    assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED


@pytest.mark.slow
@pytest.mark.parametrize(("how", "after"), [("accepted", "customs_received"), ("rejected", "customs_failed")])
def test_an_unanswered_message_is_settled_by_hand_with_a_reason_and_a_trail_entry(
    unanswered_message: tuple[int, str, int],
    advance_clock: AdvanceClock,
    stored_rows: StoredRows,
    client_as: Any,
    invoke: Invoke,
    how: str,
    after: str,
) -> None:
    """Same result as a receipt; the page has the name, and customs is not queried again."""
    key, name, number = unanswered_message
    advance_clock()
    unsaid = client_as("reviewer").post(f"/exchange/settle-{how}/", data={"id": number, "opinion": ""})
    assert unsaid.status_code == 303
    assert status(stored_rows(key)) is Status.FILED
    data = {"id": number, "opinion": WORDS}
    assert client_as("reviewer").post(f"/exchange/settle-{how}/", data=data).status_code == 303
    record = stored_rows(key)
    assert status(record) == after
    entry = record["trail_entry"][-1]
    assert (entry["act"], entry["actor_name"], entry["before"], entry["after"]) == (
        f"settle_{how}", "陈静", "filed", after,
    )  # fmt: skip
    assert (name in entry["opinion"], WORDS in entry["opinion"]) == (True, True)
    (message,) = record["customs_message"]
    assert (message["accepted"], message["by_hand"], message["claimed_until"]) == (how == "accepted", True, None)
    assert "人工登记" in client_as("reviewer").get(f"/exchange/details/?id={number}").text
    assert "unanswered" not in client_as(None).get("/healthz").text
    advance_clock()
    assert invoke("customs", "deliver").output == ""
    checked = invoke("trail", "verify")
    assert checked.exit_code == 0, checked.output


@pytest.mark.slow
def test_a_later_contradicting_receipt_changes_nothing_and_is_reported(
    unanswered_message: tuple[int, str, int],
    customs_server: CustomsServer,
    invoke: Invoke,
    advance_clock: AdvanceClock,
    stored_rows: StoredRows,
    client_as: Any,
) -> None:
    """A person has decided; who was wrong is for people to find out."""
    key, name, number = unanswered_message
    advance_clock()
    client_as("reviewer").post("/exchange/settle-accepted/", data={"id": number, "opinion": WORDS})
    found = simulator.receipt(name, "0", "", simulator.result(name, Reply.REJECTED, "2001", "重复"))
    customs_server.customs.post(name, found, 0)
    assert "与此前人工登记的结果不符" in invoke("customs", "deliver").output
    assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED
    assert "与此前人工登记的结果不符" in client_as("reviewer").get(f"/exchange/details/?id={number}").text


@pytest.mark.slow
def test_settling_by_hand_after_a_revocation_leaves_the_status_and_releases_the_revocation(
    unanswered_message: tuple[int, str, int],
    customs_server: CustomsServer,
    invoke: Invoke,
    advance_clock: AdvanceClock,
    stored_rows: StoredRows,
    act_as: ActAs,
    client_as: Any,
) -> None:
    """The revocation waits for the grant before it (CU11)."""
    key, name, number = unanswered_message
    perform(act_as, key, Action.REVOKE)
    advance_clock()
    client_as("reviewer").post("/exchange/settle-accepted/", data={"id": number, "opinion": WORDS})
    record = stored_rows(key)
    assert status(record) is Status.REVOKED
    assert (record["trail_entry"][-1]["act"], record["trail_entry"][-1]["after"]) == ("settle_accepted", "revoked")
    invoke("customs", "deliver")
    assert [row["accepted"] for row in stored_rows(key)["customs_message"]] == [True, True]
    assert customs_server.asked == [name, messages(stored_rows(key))[1]]


class TestDeliverer:
    """A dead deliverer is reported within minutes, and not mistaken for a slow customs."""

    def after(self, monkeypatch: pytest.MonkeyPatch, **span: int) -> None:
        """So much time has passed."""
        really = clock.now
        monkeypatch.setattr(clock, "now", lambda: really() + timedelta(**span))

    @pytest.mark.slow
    @pytest.mark.parametrize(("minutes", "words"), [(4, "ok\n"), (6, "deliverer\noverdue\n")])
    def test_a_message_without_a_running_deliverer_is_overdue_after_minutes(
        self, app: Flask, make_application: MakeApplication, client_as: Any, monkeypatch: Any, minutes: int, words: str
    ) -> None:
        make_application(status="filed")
        make_papers(app)
        self.after(monkeypatch, minutes=minutes)
        assert client_as(None).get("/healthz").text == words
        dead = minutes > 5
        for who, path in (("reviewer", "/exchange/"), ("operator", "/traffic/")):
            assert ("投递程序没有运行" in client_as(who).get(path).text) == dead
        assert "投递程序没有运行" not in client_as("reviewer2").get("/exchange/").text, "nothing of theirs waits"

    @pytest.mark.slow
    @pytest.mark.parametrize(("minutes", "words"), [(50, "ok\n"), (70, "overdue\n")])
    def test_a_message_with_a_running_deliverer_is_overdue_after_an_hour(
        self,
        app: Flask,
        make_application: MakeApplication,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
        monkeypatch: pytest.MonkeyPatch,
        minutes: int,
        words: str,
    ) -> None:
        """The deliverer is running, and customs does not answer."""
        make_application(status="filed")
        make_papers(app)
        self.after(monkeypatch, minutes=minutes)
        customs_server.tricks = [503]
        invoke("customs", "deliver")
        assert client_as(None).get("/healthz").text == words
        assert "投递程序没有运行" not in client_as("reviewer").get("/exchange/").text

    def test_a_heartbeat_is_written_at_intervals_and_not_in_every_round(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with app.app_context(), access.everything() as session:
            heartbeat.record(session)
            first = heartbeat.last_seen(session)
            heartbeat.record(session)
            assert heartbeat.last_seen(session) == first
            self.after(monkeypatch, seconds=20)
            heartbeat.record(session)
            second = heartbeat.last_seen(session)
            assert first and second and second > first
            monkeypatch.undo()
            heartbeat.record(session)
            last = heartbeat.last_seen(session)
            assert last and last < second, "the clock was set back"
