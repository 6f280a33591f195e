"""The exchange with customs over real HTTP, against the simulated customs, and the screen that shows it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter as Count
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from models import access, clock, customs, filing
from models.application import Application
from models.customs import CustomsMessage
from models.db import db
from models.vocabulary import Action, Status
from tests.conftest import Acting, Making, Recording
from tests.views.customs_house import House
from views import simulator
from views.customs import ask, note

ROOT = Path(__file__).parent.parent.parent
Flag = Callable[..., Result]


@pytest.fixture
def house(app: Flask, tmp_path: Path) -> Iterator[House]:
    """The simulated customs at work, and the application told where it is."""
    house = House(tmp_path)
    house.open()
    app.config["CUSTOMS_GATEWAY"] = house.address
    yield house
    house.close()


@pytest.fixture
def flask(app: Flask) -> Flag:
    """`flask("customs", "deliver")` as typed in the terminal."""
    return lambda *words: app.test_cli_runner().invoke(args=words)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """`later()`: two more hours have passed, and so every pause."""
    really, passed = clock.now, [timedelta()]

    def pass_by() -> None:
        passed[0] += timedelta(hours=2)
        monkeypatch.setattr(clock, "now", lambda: really() + passed[0])

    return pass_by


def perform(acting: Acting, key: int, action: Action) -> None:
    """The province's act, committed."""
    with acting("reviewer") as by:
        filing.perform(db.session(), action, db.session.get_one(Application, key), by, "材料有误。")
        db.session.commit()


def status(record: dict[str, list[dict[str, Any]]]) -> Status:
    """The status of the application on record."""
    return Status(record["application"][0]["status"])


class TestDelivery:
    def test_a_granted_certificate_is_received_by_customs(
        self, make_application: Making, on_record: Recording, house: House, flask: Flag
    ) -> None:
        """海关接收成功: message, status and trail say so together."""
        key = make_application(status="filed")
        done = flask("customs", "deliver")
        kept = on_record(key)
        (message,) = kept["customs_message"]
        assert (done.exit_code, done.output) == (0, f"{message['message_id']}：接收成功 0000 已接收（模拟海关）\n")
        assert house.ledger() == [(message["message_id"], "grant", True)]
        assert status(kept) is Status.CUSTOMS_RECEIVED
        assert (message["attempts"], message["accepted"], message["answer"]) == (1, True, "0000 已接收（模拟海关）")
        last = kept["trail_entry"][-1]
        assert (last["act"], last["opinion"]) == ("customs_accepted", "0000 已接收（模拟海关）")

    def test_a_refusal_is_shown_with_its_code_and_resending_leads_out_of_it(
        self,
        make_application: Making,
        on_record: Recording,
        acting: Acting,
        house: House,
        flask: Flag,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """CU1: 海关接收失败 stops nobody else, and is no dead end."""
        key, other = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        flask("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_FAILED
        assert status(on_record(other)) is Status.CUSTOMS_RECEIVED
        assert on_record(key)["trail_entry"][-1]["opinion"] == "2001 商品名称含“测试拒收”（模拟海关）"
        perform(acting, key, Action.RESEND)
        monkeypatch.setattr(simulator, "REFUSED_TITLE", "海关已改正")
        flask("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED
        first, second = (row["message_id"] for row in on_record(key)["customs_message"])
        assert {(first, "grant", False), (second, "resend", True)} < set(house.ledger())

    def test_a_gateway_that_is_down_is_tried_again_after_a_pause(
        self, make_application: Making, on_record: Recording, house: House, flask: Flag, later: Callable[[], None]
    ) -> None:
        """Every failure is counted and kept in words; nothing is lost."""
        key = make_application(status="filed")
        house.close()
        assert "海关网关没有应答" in flask("customs", "deliver").output
        assert flask("customs", "deliver").output == ""
        kept = on_record(key)
        (message,) = kept["customs_message"]
        assert (message["attempts"], message["accepted"], message["answered_at"]) == (1, None, None)
        assert message["answer"].startswith("未送达，稍后重试。海关网关没有应答")
        assert status(kept) is Status.FILED
        house.open()
        later()
        assert "接收成功" in flask("customs", "deliver").output
        assert on_record(key)["customs_message"][0]["attempts"] == 2
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED

    def test_a_reply_in_any_other_form_is_no_answer(
        self, make_application: Making, on_record: Recording, house: House, flask: Flag, later: Callable[[], None]
    ) -> None:
        """CU5, CU6: truncated, foreign, mistyped, redirected, absurd: the message waits, and goes when customs can."""
        key = make_application(status="filed")
        name = on_record(key)["customs_message"][0]["message_id"]
        good = {"message_id": name, "accepted": True, "code": "0000", "words": "已接收"}
        said = [json.dumps(good | odd).encode() for odd in ({"message_id": "Z-1"}, {"accepted": "yes"}, {"code": 0})]
        said += [
            json.dumps(good | {"words": "\ud800"}).encode(),
            json.dumps([good]).encode(),
            json.dumps(good)[:-9].encode(),
        ]
        said += [b"", b"<DxpRep/>", b"\xff\xfe\x00", b"[" * 100_000, "已接收".encode("gb18030")]
        tricks = [*said, 500, 302, 204, 403]
        house.tricks = list(tricks)
        for count in range(1, len(tricks) + 1):
            assert "未送达，稍后重试" in flask("customs", "deliver").output, tricks[count - 1]
            message = on_record(key)["customs_message"][0]
            assert (message["attempts"], message["answered_at"]) == (count, None)
            later()
        assert {path for _method, path, _name in house.asked} == {"/"}
        house.tricks = [b"\xef\xbb\xbf" + json.dumps(good).encode() + b"\r\n  "]
        flask("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED
        assert len(house.ledger()) == 1

    def test_one_message_that_cannot_be_written_stops_no_other(
        self, make_application: Making, on_record: Recording, house: House, flask: Flag
    ) -> None:
        """CU1, CU2: XML has no U+FFFE; the others arrive, and this one says why it did not."""
        first, bad, last = (make_application(status="filed", title=title) for title in ("前", "坏\ufffe", "后"))
        assert flask("customs", "deliver").exit_code == 0
        assert [status(on_record(key)) for key in (first, bad, last)] == [
            Status.CUSTOMS_RECEIVED,
            Status.FILED,
            Status.CUSTOMS_RECEIVED,
        ]
        assert "XML" in on_record(bad)["customs_message"][0]["answer"]
        assert len(house.ledger()) == 2

    def test_a_revocation_follows_the_grant_and_waits_while_it_fails(
        self, make_application: Making, on_record: Recording, house: House, flask: Flag, later: Callable[[], None]
    ) -> None:
        """CU11: customs hears of both in order; what it says of the first moves nothing any more."""
        key = make_application(status="revoked")
        house.tricks = [500]
        flask("customs", "deliver")
        grant, revocation = (row["message_id"] for row in on_record(key)["customs_message"])
        assert [name for _method, _path, name in house.asked] == [grant]
        later()
        flask("customs", "deliver")
        assert house.ledger() == [(grant, "grant", True), (revocation, "revoke", True)]
        kept = on_record(key)
        assert status(kept) is Status.REVOKED
        assert [row["accepted"] for row in kept["customs_message"]] == [True, True]
        assert kept["trail_entry"][-1]["act"] == "revoke"

    def test_a_deliverer_that_dies_before_it_notes_the_answer_does_no_harm(
        self,
        app: Flask,
        make_application: Making,
        on_record: Recording,
        house: House,
        flask: Flag,
        later: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """CU4: the same message is sent again, customs drops it and repeats its answer: one effect."""
        key = make_application(status="filed", title="测试拒收")
        with app.app_context(), access.everything() as session:
            message = customs.claim(session)
            assert message is not None
            ask(house.address, "POST", customs.business_xml(message), {"Message-Id": message.message_id})
        later()
        monkeypatch.setattr(simulator, "REFUSED_TITLE", "另一个词")
        flask("customs", "deliver")
        assert len([method for method, *_rest in house.asked if method == "POST"]) == 2
        assert len(house.ledger()) == 1
        assert status(on_record(key)) is Status.CUSTOMS_FAILED

    def test_a_second_reply_changes_nothing(self, app: Flask, make_application: Making, on_record: Recording) -> None:
        """CU7: late, twice, or the opposite of the first."""
        key = make_application(status="filed")
        with app.app_context(), access.everything() as session:
            message = session.scalars(select(CustomsMessage.id)).one()
            note(session, message, False, "2001 退单")
            before = on_record(key)
            note(session, message, True, "0000 已接收")
            assert on_record(key) == before
        assert status(before) is Status.CUSTOMS_FAILED

    def test_watching_deliverers_send_each_message_once(
        self, app: Flask, make_application: Making, on_record: Recording, house: House
    ) -> None:
        """RC8: two processes that watch the same outbox while it fills."""
        names = {"SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY", "CUSTOMS_GATEWAY"}
        settings = {f"FILING_{name}": str(app.config[name]) for name in names}
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
        counted = Count(name for _method, _path, name in house.asked)
        assert counted == Count(on_record(key)["customs_message"][0]["message_id"] for key in keys)

    @pytest.mark.parametrize("command", ["deliver", "reconcile"])
    def test_without_a_gateway_a_command_says_so_and_sends_nothing(self, flask: Flag, command: str) -> None:
        """One sentence that says what to do, and status 2."""
        done = flask("customs", command)
        assert (done.exit_code, done.output) == (2, "尚未设置海关网关，请设置 FILING_CUSTOMS_GATEWAY 后再试。\n")


class TestReconciliation:
    def test_equal_ledgers_are_found_equal(self, make_application: Making, house: House, flask: Flag) -> None:
        """What was not sent yet, and what was never sent by us, is no difference."""
        make_application(status="customs_received")
        make_application(status="revoked")
        flask("customs", "deliver")
        make_application(status="filed")
        done = flask("customs", "reconcile")
        assert (done.exit_code, done.output) == (0, "双方台账一致。\n")

    def test_every_difference_is_named_both_ways(
        self, make_application: Making, on_record: Recording, house: House, flask: Flag
    ) -> None:
        """Missing there, missing here, not noted here, noted otherwise: each with its number, and status 1."""
        keys = [make_application(status="filed") for _ in range(3)]
        flask("customs", "deliver")
        late = make_application(status="filed")
        lost, other, kept, waiting = (on_record(key)["customs_message"][0]["message_id"] for key in (*keys, late))
        house.tricks = [500]
        flask("customs", "deliver")
        house.run(f"DELETE FROM entry WHERE message_id = '{lost}'")
        house.run(f"UPDATE entry SET accepted = 0 WHERE message_id = '{other}'")
        house.run("INSERT INTO entry (message_id, accepted) VALUES ('Z9920260000019-3', 1)")
        done = flask("customs", "reconcile")
        assert done.exit_code == 1
        assert sorted(done.output.splitlines()) == sorted(
            [
                f"{lost}：我方已有回执，海关台账中没有。",
                f"{other}：双方记录的接收结果不同。",
                f"{waiting}：海关已有结果，我方尚未登记回执，请运行 customs deliver。",
                "Z9920260000019-3：海关台账中有，我方没有发送记录。",
                "共 4 处差异，请逐项核实。",
            ]
        )
        assert kept not in done.output

    def test_a_ledger_that_cannot_be_had_is_a_sentence(
        self, house: House, flask: Flag, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No ledger is no agreement."""
        for ledger in ({"error": "忙"}, None, [{"accepted": True}], [1]):
            monkeypatch.setattr(simulator.Ledger, "entries", lambda _self, ledger=ledger: ledger)
            done = flask("customs", "reconcile")
            assert (done.exit_code, done.output) == (1, "海关网关的应答不符合约定格式。\n"), ledger
        house.close()
        done = flask("customs", "reconcile")
        assert done.exit_code == 1
        assert done.output.startswith("海关网关没有应答（")
        house.open()


class TestSimulator:
    def test_it_says_what_it_is_and_keeps_its_ledger(self, tmp_path: Path) -> None:
        """As a command of its own; whoever starts it again finds the answers given before."""
        start = "from app import create_app; from flask.cli import ScriptInfo; import sys; made = create_app(); "
        start += "made.instance_path = sys.argv[1]; words = ['customs', 'simulate', '--port', '0']; "
        start += "made.cli.main(words, obj=ScriptInfo(create_app=lambda: made))"
        settings = {"FILING_SECRET_KEY": "x", "FILING_STORE": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
        answers = []
        for _ in range(2):
            command = [sys.executable, "-c", start, str(tmp_path)]
            with subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE) as person:
                assert person.stdout is not None
                said = person.stdout.readline().decode()
                assert said.startswith("模拟海关（不是真正的海关）已启动")
                (address,) = re.findall(r"FILING_CUSTOMS_GATEWAY=(http://127\.0\.0\.1:\d+)。", said)
                answers.append(json.loads(ask(address, "POST", b"<nothing/>", {"Message-Id": "Z-1"})))
                assert json.loads(ask(address, "GET")) == [answers[-1]]
                person.terminate()
        assert answers[0] == answers[1]
        assert (answers[0]["accepted"], answers[0]["code"]) == (False, "1001")
        assert (tmp_path / "simulated-customs.sqlite").exists()

    def test_a_message_under_another_name_is_refused(self, app: Flask, make_application: Making, house: House) -> None:
        """Header and message must agree."""
        make_application(status="filed")
        with app.app_context(), access.everything() as session:
            xml = customs.business_xml(session.scalars(select(CustomsMessage)).one())
        answer = json.loads(ask(house.address, "POST", xml, {"Message-Id": "Z3220260000017-99"}))
        assert (answer["accepted"], answer["code"], answer["act"]) == (False, "1002", "grant")

    def test_it_can_be_reached_from_this_machine_only(self, house: House) -> None:
        """Nobody else is to take it for customs."""
        assert house.server.server_address[0] == "127.0.0.1"
        with socket.create_connection(("127.0.0.1", house.port)):
            pass


class TestScreen:
    def test_the_province_sees_its_messages_with_customs_answers(
        self, make_application: Making, on_record: Recording, house: House, flask: Flag, as_: Any
    ) -> None:
        """数据交换: newest first, with attempts and receipt; customs' words are only words."""
        refused, odd = make_application(status="filed", title="测试拒收"), make_application(status="filed")
        name = on_record(odd)["customs_message"][0]["message_id"]
        flask("customs", "deliver")
        waiting = make_application(status="filed")
        words = {"message_id": on_record(waiting)["customs_message"][0]["message_id"], "accepted": True, "code": ""}
        house.tricks = [json.dumps(words | {"words": "<script>alert(1)</script>"}).encode()]
        flask("customs", "deliver")
        page = as_("reviewer").get("/exchange/").text
        heads = re.findall(r'<th class="column-header col-(\w+)', page)
        assert " ".join(heads) == (
            "message_id act certificate application status queued_at attempts answered_at answer"
        )
        cells = re.findall(r'<td class="col-(message_id|answer)">(.*?)</td>', page, re.S)
        shown = [re.sub(r"<[^>]+>", "", value).strip() for _name, value in cells]
        assert shown[0::2] == [words["message_id"], name, on_record(refused)["customs_message"][0]["message_id"]]
        assert shown[1::2] == [
            "接收成功 &lt;script&gt;alert(1)&lt;/script&gt;",
            "接收成功 0000 已接收（模拟海关）",
            "接收失败 2001 商品名称含“测试拒收”（模拟海关）",
        ]

    def test_why_there_is_no_answer_yet_is_shown(
        self, make_application: Making, house: House, flask: Flag, as_: Any
    ) -> None:
        """A message that could not be delivered is not hidden."""
        make_application(status="filed")
        house.tricks = [503]
        flask("customs", "deliver")
        assert "未送达，稍后重试。海关网关应答状态 503。" in as_("reviewer").get("/exchange/").text

    def test_nobody_else_sees_them(self, make_application: Making, on_record: Recording, as_: Any) -> None:
        """Another province sees none of it; publishers, nation and operator have no such screen."""
        number = on_record(make_application(status="filed"))["customs_message"][0]["message_id"]
        assert number in as_("reviewer").get("/exchange/").text
        assert number not in as_("reviewer2").get("/exchange/").text
        for person in ("publisher", "national", "operator"):
            assert as_(person).get("/exchange/").status_code == 403
