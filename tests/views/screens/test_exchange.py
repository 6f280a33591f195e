"""数据交换 on the screen, and the comparison of both ledgers that it shows."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from models import access, clock, customs
from models.application.disclosure import NEWEST
from models.customs import CustomsMessage, envelope
from models.vocabulary import Status
from tests.apps import engine_of_owner
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.customs_server import CustomsServer
from tests.views.screens.exchanged import only
from tests.views.terminal.delivered import messages, status
from views.demo import simulator


def cells(page: str, column: str) -> list[str]:
    """The words in a column, top to bottom."""
    found = re.findall(rf'<td class="col-{column}"[^>]*>(.*?)</td>', page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", value).split()) for value in found]


class TestScreen:
    @pytest.mark.slow
    def test_a_province_sees_its_messages_with_the_answers_of_customs(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
    ) -> None:
        """Newest first, with state, attempts and receipt."""
        refused, good = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        invoke("customs", "deliver")
        silent = make_application(status="filed")
        customs_server.tricks = [503]
        invoke("customs", "deliver")
        waiting = make_application(status="filed")
        page = client_as("reviewer").get("/exchange/").text
        assert cells(page, "message_id") == [only(stored_rows(key)) for key in (waiting, silent, good, refused)]
        assert cells(page, "state") == ["待发送", "已发送，待回执", "接收成功", "接收失败"]
        assert cells(page, "answer") == [
            "--",
            "没有得到应答，稍后先查询是否收到。海关网关应答状态 503。",
            "0000 已接收（模拟海关）",
            "2001 商品名称含“测试拒收”（模拟海关）",
        ]
        for state, count in {"queued": 1, "sent": 1, "accepted": 1, "rejected": 1, "set_aside": 0, "x": 0}.items():
            assert len(cells(client_as("reviewer").get(f"/exchange/?state={state}").text, "state")) == count
        number = only(stored_rows(good))
        certificate = number.partition("-")[0].replace("0", "o")
        for spelled in (number.lower(), f"{certificate}-{number.partition('-')[2]}", certificate):
            answer = client_as("reviewer").get("/exchange/", query_string={"number": f" {spelled} "})
            assert cells(answer.text, "message_id") == [number], spelled
        today = clock.today()
        for asked, count in ((today, 4), (today + timedelta(days=1), 0)):
            assert (
                len(cells(client_as("reviewer").get(f"/exchange/?since={asked}&until={asked}").text, "state")) == count
            )

    def test_messages_with_the_same_acts_have_each_its_own_id_and_question(
        self, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer, invoke: Invoke,
        client_as: Any,
    ) -> None:  # fmt: skip
        keys = [make_application(status="filed", title="测试拒收") for _time in range(2)]
        for _key in keys:
            invoke("customs", "deliver")
        page = client_as("reviewer").get("/exchange/").text
        rows = [stored_rows(key) for key in keys]
        for name, shown in (("release", only), ("resend", lambda row: row["application"][0]["number"])):
            drawn = re.findall(rf'name="id" value="(\d+)"[^>]* data-act="{name}" data-ask="([^"]*)"', page)
            by_id = {int(key): question for key, question in drawn}
            for row in rows:
                assert shown(row) in by_id[row["customs_message"][0]["id"]], name

    @pytest.mark.slow
    def test_a_message_page_shows_its_text_and_history(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        client_as: Any,
    ) -> None:
        """As sent and as received; text from customs is escaped."""
        key = make_application(status="filed", title="<script>标题</script>")
        (message,) = stored_rows(key)["customs_message"]
        customs_server.tricks = [503]
        invoke("customs", "deliver")
        advance_clock()
        odd = simulator.result(message["message_id"], simulator.Reply.ACCEPTED, "0000", "<script>alert(1)</script>")
        customs_server.tricks = [simulator.receipt(message["message_id"], "0", "", odd)]
        invoke("customs", "deliver")
        page = client_as("reviewer").get(f"/exchange/details/?id={message['id']}").text
        assert "&lt;certificate_message xmlns=" in page
        assert "海关网关应答状态 503" in page
        assert "&lt;State&gt;accepted&lt;/State&gt;" in page
        assert "<script>alert" not in page
        assert "<script>标题" not in page
        assert ["发送" in page, "查询是否收到" in page] == [True, True]
        assert f'href="/filings/details/?id={key}&amp;url=' in page

    @pytest.mark.slow
    def test_a_message_can_be_downloaded_as_sent(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        client_as: Any,
    ) -> None:
        """Message and question, byte for byte, by the own province alone."""
        (message,) = stored_rows(make_application(status="filed"))["customs_message"]
        customs_server.tricks = [503]
        invoke("customs", "deliver")
        advance_clock()
        invoke("customs", "deliver")
        address = f"/exchange/letter/?id={message['id']}&attempt="
        left = [client_as("reviewer").get(f"{address}{attempt}") for attempt in (1, 2)]
        kinds = [envelope.opened(answer.data).kind for answer in left]
        assert kinds == [envelope.CERTIFICATE, envelope.QUESTION]
        assert left[0].headers["Content-Disposition"].startswith("attachment")
        for attempt in ("3", "", "x"):
            assert client_as("reviewer").get(f"{address}{attempt}").status_code == 303
        assert client_as("reviewer2").get(f"{address}1").status_code == 404

    @pytest.mark.slow
    def test_resending_is_offered_for_messages_rejected_by_customs(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
    ) -> None:
        """By the rule of the state machine; a refusal shows a message and changes nothing."""
        failed, received = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        invoke("customs", "deliver")
        browser = client_as("reviewer")
        for key, made in ((failed, 2), (received, 1)):
            (message,) = stored_rows(key)["customs_message"]
            assert browser.post("/exchange/resend/", data={"id": message["id"]}).status_code == 303
            assert len(messages(stored_rows(key))) == made
            assert browser.post("/exchange/release/", data={"id": message["id"]}).status_code == 303
        page = browser.get("/exchange/").text
        assert "已重发" in page
        assert f"{stored_rows(failed)['application'][0]['number']} 正在重新发往海关" in page
        assert "当前状态为「海关接收成功」，不能重发" in page
        assert "不能放行报文；「已搁置」状态可以放行报文。" in page
        assert status(stored_rows(failed)) is Status.FILED

    @pytest.mark.slow
    def test_viewing_messages_changes_nothing(self, make_application: MakeApplication, client_as: Any) -> None:
        """CU15: no GET changes anything, and there is no «mark all done»."""
        make_application(status="filed")
        for act in ("release", "resend"):
            assert client_as("reviewer").get(f"/exchange/{act}/?id=1").status_code in (404, 405)

    def test_other_provinces_and_roles_do_not_see_the_messages(
        self, make_application: MakeApplication, stored_rows: StoredRows, client_as: Any
    ) -> None:
        """Another province sees none of it; publishers and nation have no such screen."""
        (message,) = stored_rows(make_application(status="filed"))["customs_message"]
        assert message["message_id"] in client_as("reviewer").get("/exchange/").text
        assert message["message_id"] not in client_as("reviewer2").get("/exchange/").text
        assert client_as("reviewer2").get(f"/exchange/details/?id={message['id']}").status_code == 404
        for person in ("publisher", "national", "operator"):
            assert client_as(person).get("/exchange/").status_code == 403

    @pytest.mark.slow
    def test_the_operator_sees_numbers_and_ages_of_messages_and_no_application(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        client_as: Any,
    ) -> None:
        key = make_application(status="filed")
        customs_server.tricks = [b"\xff"]
        invoke("customs", "deliver")
        with app.app_context(), engine_of_owner(app).begin() as connection:
            connection.execute(text("UPDATE customs_message SET set_aside_at = queued_at"))
        record = stored_rows(key)
        page = client_as("operator").get("/traffic/").text
        facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
        assert (facts["已搁置"], facts["无法识别的回执"], facts["超时未完成"]) == ("1", "1", "0")
        assert re.search(r"，已等候 \d+ 分钟$", facts["最早入列"])
        assert "内容残缺或不是 XML，已原样留存。" in page
        (number,) = re.findall(r"<strong>(\d+)</strong> <span>即时应答</span>", page)
        assert invoke("customs", "receipt", number).stdout_bytes == b"\xff"
        assert invoke("customs", "receipt", "99999").output == "没有编号为 99999 的回执，请核对编号。\n"
        assert record["application"][0]["number"] not in page
        assert only(record) not in page
        for person in ("publisher", "national", "reviewer"):
            assert client_as(person).get("/traffic/").status_code == 403

    def test_a_message_page_has_a_bounded_part_of_a_long_history(
        self, app: Flask, make_application: MakeApplication, stored_rows: StoredRows, client_as: Any
    ) -> None:
        """Customs may be out of reach for weeks: each attempt has a note. All are reached, page by page."""
        key = make_application(status="filed")
        (message,) = stored_rows(key)["customs_message"]
        with app.app_context(), access.everything() as session:
            row = session.get_one(CustomsMessage, message["id"])
            for n in range(2 * NEWEST + 1):
                customs.add_note(session, row, f"第 {n} 个结果")
            session.commit()
        reviewer, address, pages = client_as("reviewer"), f"/exchange/details/?id={message['id']}", []
        while address:
            page = reviewer.get(address).text
            pages.append([int(n) for n in re.findall(r"第 (\d+) 个结果", page)])
            older = re.search(r'href="([^"]+)#trail">查看更早的结果与回执', page)
            address = html.unescape(older[1]) if older else ""
        numbers = [*range(2 * NEWEST, -1, -1)]
        assert pages == [numbers[:NEWEST], numbers[NEWEST:-1], numbers[-1:]]
        assert "返回最新的结果与回执" in page
