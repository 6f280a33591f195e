"""数据交换 on the screen, and the comparison of both ledgers that it shows."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from models import access, clock
from models.customs import envelope, reconciliation
from models.database import db
from models.vocabulary import Difference, Status
from tests.conftest import Making, Recording
from tests.views.conftest import Later, Typing
from tests.views.customs_house import House
from tests.views.terminal.test_customs import messages, status
from views.demo import simulator

ODD_ENTRY = [{"message_id": "Z-1", "accepted": "no", "day": "2026-01-01"}]  # a word that is true by itself


def only(record: dict[str, list[dict[str, Any]]]) -> str:
    """The id of its one message."""
    (name,) = messages(record)
    return name


class TestReconciliation:
    @pytest.mark.slow
    def test_equal_ledgers_are_found_equal(
        self, make_application: Making, house: House, typed: Typing, as_: Any
    ) -> None:
        """What was not sent yet, and what was never sent by us, is no difference."""
        make_application(status="customs_received")
        make_application(status="revoked")
        typed("customs", "deliver")
        make_application(status="filed")
        done = typed("customs", "reconcile")
        assert (done.exit_code, done.output) == (0, "双方台账一致。\n")
        assert "本省差异 0 处" in as_("reviewer").get("/exchange/").text

    @pytest.mark.slow
    def test_every_difference_is_named_both_ways_and_shown(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, as_: Any
    ) -> None:
        """Missing there, missing here, not noted here, noted otherwise: each with its number, and status 1."""
        keys = [make_application(status="filed") for _ in range(3)]
        typed("customs", "deliver")
        late = make_application(status="filed")
        lost, other, kept, waiting = (only(on_record(key)) for key in (*keys, late))
        house.tricks = [500]
        typed("customs", "deliver")
        house.forget(lost)
        house.enter(other, accepted=False, day=clock.today())
        house.enter("Z9920260000019-3", day=clock.today())
        done = typed("customs", "reconcile")
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
        page = as_("reviewer").get("/exchange/").text
        assert "本省差异 3 处" in page
        assert "Z9920260000019-3" not in page
        assert f"{kept}：" not in page
        assert re.findall(r'col-(ours|theirs|found)"[^>]*>\s*(\d+)', as_("operator").get("/traffic/").text) == [
            ("ours", "4"), ("theirs", "4"), ("found", "4"),
        ]  # fmt: skip
        assert "本省差异 0 处" in as_("reviewer2").get("/exchange/").text

    @pytest.mark.slow
    def test_what_was_sent_and_is_not_there_is_told(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        """No answer is no agreement; what never left is no difference."""
        key = make_application(status="filed", title="测试等待")
        name = only(on_record(key))
        typed("customs", "deliver")
        make_application(status="filed")
        house.close()
        typed("customs", "deliver")
        house.open()
        done = typed("customs", "reconcile")
        assert done.exit_code == 1
        assert done.output.startswith(f"{name}：我方已发送，尚无回执，海关台账中没有")
        assert len(done.output.splitlines()) == 2

    @pytest.mark.slow
    def test_what_stands_there_twice_is_told(
        self, app: Flask, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        """Two effects of one message, which no status of ours would show."""
        name = only(on_record(make_application(status="filed")))
        typed("customs", "deliver")
        with app.app_context(), access.everything() as session:
            told = house.customs.entries() * 2
            row = reconciliation.reconcile(session, lambda _since, _until: told)
            assert row.differences_of() == [(name, Difference.DOUBLED)]

    @pytest.mark.slow
    def test_a_long_list_of_strangers_is_told_whole(self, app: Flask) -> None:
        """Longer than any statement takes parameters."""
        day = clock.today()
        told = [{"message_id": f"Z99{n:011}-1", "accepted": True, "day": str(day)} for n in range(70_000)]
        with app.app_context(), access.everything() as session:
            assert reconciliation.reconcile(session, lambda _since, _until: told, day).found == 70_000

    @pytest.mark.slow
    def test_a_day_is_compared_by_when_it_was_queued_or_arrived(
        self, app: Flask, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        """What customs received a day later than we queued it is on both sides."""
        key = make_application(status="filed")
        typed("customs", "deliver")
        today, name = clock.today(), only(on_record(key))
        house.enter(name, day=today + timedelta(days=1))
        with app.app_context(), access.everything() as session:
            row = reconciliation.reconcile(session, lambda _since, _until: house.customs.entries(), today)
            assert (row.ours, row.differences_of()) == (1, [])
            nothing = reconciliation.reconcile(session, lambda _since, _until: [], today - timedelta(days=1))
            assert (nothing.ours, nothing.theirs, nothing.found) == (0, 0, 0)
        house.enter("Z9920260000019-3", day=date(2026, 1, 2))
        assert "Z9920260000019-3" in typed("customs", "reconcile", "2026-01-02").output
        assert typed("customs", "reconcile", "2026-01-03").output == "双方台账一致。\n"

    @pytest.mark.slow
    def test_a_ledger_that_cannot_be_had_is_a_sentence(
        self, house: House, typed: Typing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No ledger is no agreement."""
        for told in ({"error": "忙"}, None, [{"accepted": True}], [1], ODD_ENTRY):
            monkeypatch.setattr(simulator.Customs, "entries", lambda *_args, told=told: told)
            done = typed("customs", "reconcile")
            assert (done.exit_code, done.output) == (1, "海关网关的应答不符合约定格式。\n"), told
        house.close()
        done = typed("customs", "reconcile")
        assert (done.exit_code, done.output.startswith("海关网关没有应答（")) == (1, True)
        house.open()


def cells(page: str, column: str) -> list[str]:
    """The words in a column, top to bottom."""
    found = re.findall(rf'<td class="col-{column}"[^>]*>(.*?)</td>', page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", value).split()) for value in found]


class TestScreen:
    @pytest.mark.slow
    def test_the_province_sees_its_messages_with_customs_answers(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, as_: Any
    ) -> None:
        """Newest first, with state, attempts and receipt."""
        refused, good = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        typed("customs", "deliver")
        silent = make_application(status="filed")
        house.tricks = [503]
        typed("customs", "deliver")
        waiting = make_application(status="filed")
        page = as_("reviewer").get("/exchange/").text
        assert cells(page, "message_id") == [only(on_record(key)) for key in (waiting, silent, good, refused)]
        assert cells(page, "state") == ["待发送", "已发送，待回执", "接收成功", "接收失败"]
        assert cells(page, "answer") == [
            "--",
            "没有得到应答，稍后先查询是否收到。海关网关应答状态 503。",
            "0000 已接收（模拟海关）",
            "2001 商品名称含“测试拒收”（模拟海关）",
        ]
        for state, count in {"queued": 1, "sent": 1, "accepted": 1, "rejected": 1, "set_aside": 0, "x": 0}.items():
            assert len(cells(as_("reviewer").get(f"/exchange/?state={state}").text, "state")) == count
        number = only(on_record(good))
        certificate = number.partition("-")[0].replace("0", "o")
        for spelled in (number.lower(), f"{certificate}-{number.partition('-')[2]}", certificate):
            answer = as_("reviewer").get("/exchange/", query_string={"number": f" {spelled} "})
            assert cells(answer.text, "message_id") == [number], spelled
        today = clock.today()
        for asked, count in ((today, 4), (today + timedelta(days=1), 0)):
            assert len(cells(as_("reviewer").get(f"/exchange/?since={asked}&until={asked}").text, "state")) == count

    @pytest.mark.slow
    def test_a_message_opens_with_its_text_and_all_that_became_of_it(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later, as_: Any
    ) -> None:
        """As sent and as received; what customs says are only words."""
        key = make_application(status="filed", title="<script>标题</script>")
        (message,) = on_record(key)["customs_message"]
        house.tricks = [503]
        typed("customs", "deliver")
        later()
        odd = simulator.result(message["message_id"], simulator.Reply.ACCEPTED, "0000", "<script>alert(1)</script>")
        house.tricks = [simulator.receipt(message["message_id"], "0", "", odd)]
        typed("customs", "deliver")
        page = as_("reviewer").get(f"/exchange/details/?id={message['id']}").text
        assert "&lt;certificate_message xmlns=" in page
        assert "海关网关应答状态 503" in page
        assert "&lt;State&gt;accepted&lt;/State&gt;" in page
        assert "<script>alert" not in page
        assert "<script>标题" not in page
        assert ["发送" in page, "查询是否收到" in page] == [True, True]
        assert f'href="/filings/details/?id={key}&amp;url=' in page

    @pytest.mark.slow
    def test_a_letter_can_be_had_as_it_left(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later, as_: Any
    ) -> None:
        """Message and question, byte for byte, by the own province alone."""
        (message,) = on_record(make_application(status="filed"))["customs_message"]
        house.tricks = [503]
        typed("customs", "deliver")
        later()
        typed("customs", "deliver")
        address = f"/exchange/letter/?id={message['id']}&attempt="
        left = [as_("reviewer").get(f"{address}{attempt}") for attempt in (1, 2)]
        kinds = [envelope.opened(answer.data).kind for answer in left]
        assert kinds == [envelope.CERTIFICATE, envelope.QUESTION]
        assert left[0].headers["Content-Disposition"].startswith("attachment")
        for attempt in ("3", "", "x"):
            assert as_("reviewer").get(f"{address}{attempt}").status_code == 303
        assert as_("reviewer2").get(f"{address}1").status_code == 404

    @pytest.mark.slow
    def test_resend_is_offered_where_customs_did_not_take_it(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, as_: Any
    ) -> None:
        """By the rule of the state machine; a refusal is its sentence, and changes nothing."""
        failed, received = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        typed("customs", "deliver")
        browser = as_("reviewer")
        for key, made in ((failed, 2), (received, 1)):
            (message,) = on_record(key)["customs_message"]
            assert browser.post("/exchange/resend/", data={"id": message["id"]}).status_code == 303
            assert len(messages(on_record(key))) == made
            assert browser.post("/exchange/release/", data={"id": message["id"]}).status_code == 303
        page = browser.get("/exchange/").text
        assert "已重发" in page
        assert f"{on_record(failed)['application'][0]['number']} 正在重新发往海关" in page
        assert "当前状态为「海关接收成功」，不能重发" in page
        assert "不能放行报文；「已搁置」状态可以放行报文。" in page
        assert status(on_record(failed)) is Status.FILED

    @pytest.mark.slow
    def test_nothing_moves_by_looking(self, make_application: Making, as_: Any) -> None:
        """CU15: no GET changes anything, and there is no «mark all done»."""
        make_application(status="filed")
        for act in ("release", "resend"):
            assert as_("reviewer").get(f"/exchange/{act}/?id=1").status_code in (404, 405)

    def test_nobody_else_sees_them(self, make_application: Making, on_record: Recording, as_: Any) -> None:
        """Another province sees none of it; publishers and nation have no such screen."""
        (message,) = on_record(make_application(status="filed"))["customs_message"]
        assert message["message_id"] in as_("reviewer").get("/exchange/").text
        assert message["message_id"] not in as_("reviewer2").get("/exchange/").text
        assert as_("reviewer2").get(f"/exchange/details/?id={message['id']}").status_code == 404
        for person in ("publisher", "national", "operator"):
            assert as_(person).get("/exchange/").status_code == 403

    @pytest.mark.slow
    def test_the_operator_sees_counts_and_ages_and_no_application(
        self, app: Flask, make_application: Making, on_record: Recording, house: House, typed: Typing, as_: Any
    ) -> None:
        key = make_application(status="filed")
        house.tricks = [b"\xff"]
        typed("customs", "deliver")
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("UPDATE customs_message SET set_aside_at = queued_at"))
        record = on_record(key)
        page = as_("operator").get("/traffic/").text
        facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
        assert (facts["已搁置"], facts["无法识别的回执"], facts["超时未完成"]) == ("1", "1", "0")
        assert re.search(r"，已等候 \d+ 分钟$", facts["最早入列"])
        assert "内容残缺或不是 XML，已原样留存。" in page
        (number,) = re.findall(r"<strong>(\d+)</strong> <span>即时应答</span>", page)
        assert typed("customs", "receipt", number).stdout_bytes == b"\xff"
        assert typed("customs", "receipt", "99999").output == "没有编号为 99999 的回执，请核对编号。\n"
        assert record["application"][0]["number"] not in page
        assert only(record) not in page
        for person in ("publisher", "national", "reviewer"):
            assert as_(person).get("/traffic/").status_code == 403
