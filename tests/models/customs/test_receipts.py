"""Receipts of every odd form: each is stored as received, handled by rule, and does not stop the others."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.application import Application, locking
from models.application.trail import TrailEntry
from models.customs import CustomsMessage, CustomsNote, envelope, outbox, receipt
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt
from models.customs.schema import envelope_schema
from models.exchange import inbox
from models.vocabulary import Action, Delivery, Reply, Status
from tests.cast import take
from tests.conftest import Making
from tests.models.acts.test_races import at_once
from tests.models.conftest import Door
from views.demo import simulator

PACE = Pace()
WORDS = "已接收：𠮷祥"


def receipt_for(name: str, reply: Reply = Reply.ACCEPTED, code: str = "0000", words: str = WORDS) -> bytes:
    """A business receipt about one message."""
    return simulator.receipt(name, "0", "", simulator.result(name, reply, code, words))


def answer(name: str, attempt: int, reply: Reply = Reply.UNKNOWN) -> bytes:
    """The receipt for the status query of this attempt."""
    return simulator.receipt(f"{name}-Q{attempt}", "0", "", simulator.result(name, reply, "", ""))


def batch(*content: tuple[str, Reply], count: int = 0) -> bytes:
    """A receipt with several results."""
    results = (simulator.result(name, reply, "0000", WORDS) for name, reply in content)
    return simulator.receipt("-", "0", "", *results, count=count)


def sent(session: Session) -> list[str]:
    """Claim every message, which marks it as sent; their ids."""
    return [message.message_id for message in iter(lambda: outbox.claim(session, PACE), None)]


def statuses(session: Session) -> list[Status]:
    """The status of every application, oldest first."""
    return list(session.scalars(select(Application.status).order_by(Application.id)))


def stored_bytes(session: Session) -> list[bytes]:
    """The bytes of every stored receipt."""
    return list(session.scalars(select(CustomsReceipt.raw).order_by(CustomsReceipt.id)))


DRESSED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda xml: xml,
    "with BOM": lambda xml: b"\xef\xbb\xbf" + xml,
    "blanks and line ends around it": lambda xml: b"\r\n  " + xml + b"  \r\n\x00\x1a",
    "lines ending in CRLF": lambda xml: xml.replace(b"><", b">\r\n<"),
    "no declaration": lambda xml: xml.partition(b"?>")[2],
    "GB18030": lambda xml: xml.decode().replace("UTF-8", "GB18030").encode("gb18030"),
    "GB18030 under the name of GB2312": lambda xml: xml.decode().replace("UTF-8", "GB2312").encode("gb18030"),
    "GB18030 under no name": lambda xml: xml.decode().partition("?>")[2].encode("gb18030"),
    "UTF-16": lambda xml: xml.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "the id folded over lines": lambda xml: xml.replace(b"<CopMsgId>", b"<CopMsgId>\r\n\t").replace(
        b"</CopMsgId>", b" </CopMsgId>"
    ),
    "another prefix": lambda xml: (
        xml.replace(b"<", b"<d:").replace(b"<d:/", b"</d:").replace(b"<d:?", b"<?").replace(b"xmlns=", b"xmlns:d=")
    ),
}


@pytest.mark.parametrize("dress", DRESSED)
def test_a_receipt_is_read_in_every_encoding_and_form(make_application: Making, door: Door, dress: str) -> None:
    """CU6, CU10: BOM, trailing blanks, CRLF, GB 18030, folded ids; no Chinese character is changed."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        received = DRESSED[dress](receipt_for(name))
        inbox.store_and_process(session, "r.xml", received, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]
        assert session.scalars(select(CustomsMessage.answer)).one() == f"0000 {WORDS}"
        assert stored_bytes(session) == [received]


BROKEN = {
    "empty": b"",
    "blank": b"\r\n \x00",
    "truncated": receipt_for("Z3220260000017-5")[:-30],
    "no XML": "海关系统维护".encode(),
    "binary": bytes(range(256)),
    "another document": b"<DxpMsg/>",
    "no code": b"<DxpRep><Response/></DxpRep>",
    "a foreign entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><DxpRep>&e;</DxpRep>',
    "no known state": receipt_for("Z3220260000017-5").replace(b"accepted", b"perhaps"),
    "no id": receipt_for("Z3220260000017-5").replace(b"Z3220260000017-5", b""),
    "an id of more than text": receipt_for("Z-1").replace(b"Z-1", b"Z<x/>-1"),
    "a document type": b"<!DOCTYPE DxpRep>" + receipt_for("Z-1").partition(b"?>")[2],
    "too long to be stored whole": receipt_for("Z-1") + b" " * receipt.MOST,
}


@pytest.mark.parametrize("shape", BROKEN)
def test_an_unreadable_receipt_is_stored_and_decides_nothing(make_application: Making, door: Door, shape: str) -> None:
    """CU5: the message goes on waiting, and the next receipt counts."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        assert len(inbox.store_and_process(session, "broken.xml", BROKEN[shape], PACE)) >= 1
        assert statuses(session) == [Status.FILED]
        (stored,) = session.scalars(select(CustomsReceipt))
        assert (stored.raw, stored.strange, stored.read_at is not None) == (BROKEN[shape][: receipt.MOST], True, True)
        assert stored.verdict
        assert inbox.store_and_process(session, "broken.xml", BROKEN[shape], PACE, "another attempt") == [], (
            "the same noise once"
        )
        inbox.store_and_process(session, "good.xml", receipt_for(name), PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_an_xml_comment_does_not_cut_a_number(make_application: Making, door: Door) -> None:
    """Z…-5<!-- -->0 is about Z…-50, which does not exist here, and never about Z…-5."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        cut = receipt_for(f"{name}#0").replace(b"#", b"<!-- --><?x?>")
        assert f"{name}0：我方没有这份报文" in inbox.store_and_process(session, "a.xml", cut, PACE)[0]
        assert statuses(session) == [Status.FILED]


@pytest.mark.parametrize("count", ["", ' count="0"'])
def test_an_empty_list_of_results_is_a_transport_receipt(make_application: Making, door: Door, count: str) -> None:
    """Code 0 without results: the letter named in the head was forwarded."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        empty = f"</ResponseInfo><Results{count}/>".encode()
        content = simulator.receipt(name, "0", "-").replace(b"</ResponseInfo>", empty)
        assert inbox.store_and_process(session, "a.xml", content, PACE) == [f"{name}：已转交，等待回执 -"]
        assert not session.scalars(select(CustomsReceipt.strange)).one()


@pytest.mark.parametrize(
    ("file", "reply"),
    [
        ("Successed_{}_20261125101112.xml", Reply.WAITING),
        ("Failed_{}_20261125101112.xml", Reply.FAULT),
        ("FailBox/{}.xml", Reply.FAULT),
        ("FailBox/{}-Q7.xml", Reply.FAULT),
    ],
)
def test_file_names_of_the_client_report_the_fate_of_a_letter(
    make_application: Making, door: Door, file: str, reply: Reply
) -> None:
    """For bytes that are no receipt: they may be the letter itself, returned."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        assert inbox.store_and_process(session, file.format(name), b"<DxpMsg/>", PACE) == [f"{name}：{reply.label}"]
        assert session.scalars(select(CustomsMessage.faults)).one() == (reply is Reply.FAULT)
        inbox.store_and_process(session, f"Receipt_{name}_1.xml", receipt_for(name), PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_an_invalid_file_name_is_stored_without_the_invalid_characters(make_application: Making, door: Door) -> None:
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        inbox.store_and_process(session, "回\udcbb\ud800\0.xml", receipt_for(name), PACE)
        assert session.scalars(select(CustomsReceipt.name)).one() == "回??.xml"
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_a_batch_is_noted_item_by_item(make_application: Making, door: Door) -> None:
    """CU5, CU7, CU8: unknown, doubled, contradicting, wrongly counted and out of order: its valid results count."""
    for _ in range(3):
        make_application(status="filed")
    with door() as session:
        first, second, third = sent(session)
        content = batch(
            (third, Reply.REJECTED), ("Z9920260000019-3", Reply.ACCEPTED), (first, Reply.ACCEPTED),
            (first, Reply.REJECTED), (second, Reply.WAITING), count=9,
        )  # fmt: skip
        lines = inbox.store_and_process(session, "batch.xml", content, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED, Status.FILED, Status.CUSTOMS_FAILED]
        assert "应有 9 项，实有 5 项" in lines[0]
        assert any("我方没有这份报文" in line for line in lines)
        assert any("此前已登记" in line for line in lines)
        (stored,) = session.scalars(select(CustomsReceipt))
        assert stored.strange
        notes = session.scalars(select(CustomsNote.part).order_by(CustomsNote.id)).all()
        assert len(notes) == 4
        assert third not in str(notes[1:]), "the note of a message contains nothing about another message"


@pytest.mark.slow
def test_a_long_receipt_is_processed_over_several_rounds(
    make_application: Making, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that sending goes on; results of unknown messages do not count. Lines for the log are cut."""
    monkeypatch.setattr(inbox, "MOST_A_ROUND", 2)
    monkeypatch.setattr(inbox, "AT_ONCE", 2)
    for _ in range(3):
        make_application(status="filed")
    with door() as session:
        unknown = [(f"Z992026000001{n}-3", Reply.ACCEPTED) for n in range(3)]
        content = batch(*unknown, *((name, Reply.ACCEPTED) for name in sent(session)))
        content = content.replace(WORDS.encode(), b"long " * 90)
        lines = inbox.store_and_process(session, "batch.xml", content, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED, Status.CUSTOMS_RECEIVED, Status.FILED]
        assert max(map(len, lines)) < 250
        (left,) = inbox.unread(session)
        assert len(inbox.process(session, left, PACE)) == 6
        assert set(statuses(session)) == {Status.CUSTOMS_RECEIVED}
        assert inbox.unread(session) == []
        assert len(session.scalars(select(CustomsNote.id)).all()) == 3


def test_the_same_receipt_twice_is_dropped(make_application: Making, door: Door) -> None:
    """CU7, CU12: no second row, no second trail entry, no second note."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        received = receipt_for(name)
        assert inbox.store_and_process(session, "a.xml", received, PACE)
        assert inbox.store_and_process(session, "b.xml", received, PACE) == []
        assert stored_bytes(session) == [received]
        assert len(session.scalars(select(Application)).one().trail) == 9


def test_no_later_receipt_changes_a_decision_of_customs(make_application: Making, door: Door) -> None:
    """customs_received is final; late transport receipts, answers to queries and contradictions are only noted."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        inbox.store_and_process(session, "a.xml", receipt_for(name), PACE)
        for late in (
            receipt_for(name, Reply.REJECTED, "2001"),
            receipt_for(name, Reply.UNKNOWN, "", ""),
            simulator.receipt(name, "-1201003", "接收方不存在"),
            simulator.receipt(name, "0", "已转交"),
        ):
            assert "此前已登记" in inbox.store_and_process(session, "late.xml", late, PACE)[0]
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]
        message = session.scalars(select(CustomsMessage)).one()
        assert (message.accepted, message.faults, message.answer) == (True, 0, f"0000 {WORDS}")
        assert outbox.claim(session, PACE) is None


class TestWhichSend:
    """An answer is about the letter that it answers, whatever was sent after that letter."""

    @pytest.fixture
    def queried(self, make_application: Making, door: Door) -> Iterator[tuple[Session, str]]:
        """(session, id) of a message sent in attempt 1 and queried in attempt 2; its deliverer died both times."""
        make_application(status="filed")
        haste = Pace(lease=0)
        with door() as session:
            name = outbox.claim(session, haste).message_id  # type: ignore[union-attr]
            outbox.claim(session, haste)
            yield session, name

    def test_a_failed_query_is_followed_by_another_query(self, queried: tuple[Session, str]) -> None:
        """The letter may have arrived: it is not sent again until customs reports that it has not."""
        session, name = queried
        for fault in (simulator.receipt(f"{name}-Q2", "-1201002", "签名"), simulator.receipt(name, "-1201001", "格式")):
            inbox.store_and_process(session, "a.xml", fault, PACE)
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.must_query, again.sent_in, again.faults) == (True, 1, 2)

    def test_a_message_that_customs_has_not_received_is_sent_again(self, queried: tuple[Session, str]) -> None:
        session, name = queried
        inbox.store_and_process(session, "a.xml", answer(name, 2), PACE)
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.must_query, again.sent_in) == (False, 3)

    def test_an_answer_to_a_query_before_the_resend_is_ignored(self, queried: tuple[Session, str]) -> None:
        """Queried in attempt 2, resent in 3, then a second answer to 2 arrives: 3 may have been delivered."""
        session, name = queried
        inbox.store_and_process(session, "a.xml", answer(name, 2), PACE)
        outbox.claim(session, Pace(lease=0))
        for late in (answer(name, 2) + b"\n", receipt_for(name, Reply.UNKNOWN, "", "")):
            assert "所指并非当前发送" in inbox.store_and_process(session, "b.xml", late, PACE)[0]
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.must_query, again.sent_in) == (True, 3)

    def test_a_release_does_not_reset_the_attempt_number(self, queried: tuple[Session, str]) -> None:
        """Otherwise an answer to query 2 before the release would count as an answer to query 2 after it."""
        session, name = queried
        inbox.store_and_process(session, "a.xml", answer(name, 2), Pace(tries=1))
        message = session.scalars(select(CustomsMessage)).one()
        assert message.state is Delivery.SET_ASIDE
        assert message.answer == "海关没有收到。已搁置，待放行。"
        assert outbox.release(session, message)
        again = outbox.claim(session, Pace(lease=0))
        assert again is not None
        assert (again.attempts, again.must_query) == (3, False)
        outbox.claim(session, PACE)
        inbox.store_and_process(session, "b.xml", answer(name, 2) + b"\n", PACE)
        assert session.scalars(select(CustomsMessage.sent_in)).one() == 3

    def test_an_answer_does_not_end_the_claim_of_another_deliverer(self, queried: tuple[Session, str]) -> None:
        """That deliverer may be sending now: nobody else may claim the message until its lease ends."""
        session, name = queried
        claimed = outbox.claim(session, PACE)
        assert claimed is not None
        until = claimed.claimed_until
        for content in (answer(name, 2), simulator.receipt(name, "-1201001", "格式"), simulator.receipt(name, "0", "")):
            inbox.store_and_process(session, "a.xml", content, PACE)
            assert session.scalars(select(CustomsMessage.claimed_until)).one() == until
            assert outbox.claim(session, PACE) is None

    def test_at_most_one_fault_is_counted_per_letter(self, queried: tuple[Session, str]) -> None:
        """The same fault reported by receipt and by FailBox counts once."""
        session, name = queried
        for n in range(5):
            inbox.store_and_process(session, "a.xml", simulator.receipt(name, "-1201001", f"{n}"), PACE)
        assert session.scalars(select(CustomsMessage.faults)).one() == 2


class TestOnce:
    def test_a_receipt_read_again_after_a_crash_is_noted_once(self, make_application: Making, door: Door) -> None:
        """CU13: noted, but not yet marked as read; reading it again changes nothing and ends no claim."""
        make_application(status="filed")
        with door() as session:
            name = outbox.claim(session, Pace(lease=0)).message_id  # type: ignore[union-attr]
            outbox.claim(session, Pace(lease=0))
            inbox.store_and_process(session, "a.xml", answer(name, 2), PACE)
            key = session.scalars(select(CustomsReceipt.id)).one()
            resent = outbox.claim(session, PACE)
            assert resent is not None
            until = resent.claimed_until
            session.execute(update(CustomsReceipt).values(read_at=None))
            session.commit()
            lines = inbox.process(session, key, PACE)
            assert lines == [f"{name}：海关没有收到"]
            message = session.scalars(select(CustomsMessage)).one()
            assert (message.sent_in, message.claimed_until, message.faults) == (3, until, 1)
            assert len(session.scalars(select(CustomsNote.id)).all()) == 1
            assert inbox.unread(session) == []

    @pytest.mark.slow
    def test_parallel_readers_of_a_receipt_note_each_item_once(self, make_application: Making, door: Door) -> None:
        """RC8: one note an item, one trail entry an application, and every reader finishes."""
        for _ in range(6):
            make_application(status="filed")
        with door() as session:
            content = batch(*((name, Reply.REJECTED) for name in sent(session)))
            key = receipt.store(session, "a.xml", content).id

        def work() -> list[str]:
            with door() as session:
                return inbox.process(session, key, PACE)

        lines = at_once(*[work] * 4)
        assert [len(found) for found in lines] == [6] * 4  # type: ignore[arg-type]
        with door() as session:
            assert len(session.scalars(select(CustomsNote.id)).all()) == 6
            acts = session.scalars(select(TrailEntry.act)).all()
            assert acts.count("customs_rejected") == 6
            assert statuses(session) == [Status.CUSTOMS_FAILED] * 6


def test_the_sentence_of_a_version_conflict_is_not_stored_as_an_answer(
    make_application: Making, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person acts on the application while the receipt is processed: it is noted in the next round."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)

        def busy(*_args: object) -> bool:
            raise locking.Conflict("您的操作没有保存")

        monkeypatch.setattr(inbox, "_apply", busy)
        assert inbox.store_and_process(session, "a.xml", receipt_for(name), PACE) == [
            f"{name}：申请正在办理，回执稍后登记。"
        ]
        monkeypatch.undo()
        (left,) = inbox.unread(session)
        inbox.process(session, left, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_a_receipt_for_a_revoked_certificate_is_noted_and_moves_nothing(
    app: Flask, make_application: Making, door: Door
) -> None:
    key = make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
    take(app, Action.REVOKE, key, "publisher")
    with door() as session:
        inbox.store_and_process(session, "a.xml", receipt_for(name), PACE)
        assert statuses(session) == [Status.REVOKED]


def test_the_receipt_of_a_reader_that_died_is_processed_in_the_next_round(make_application: Making, door: Door) -> None:
    """CU13: the bytes were stored, nothing was noted yet."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        receipt.store(session, "a.xml", receipt_for(name))
        (left,) = inbox.unread(session)
        inbox.process(session, left, PACE)
        assert inbox.unread(session) == []
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.integers(0, 600), st.integers(0, 600))
def test_no_bytes_break_the_reader(noise: bytes, begin: int, end: int) -> None:
    """CU6: a receipt with noise anywhere is read, or refused with a sentence; no other exception is raised."""
    good = receipt_for("Z3220260000017-5")
    mixed = good[:begin] + noise + good[end:]
    with suppress(receipt.Unreadable):
        content, _odd = receipt.results(mixed)
        assert all(result.reply in Reply for result in content)


def test_receipts_of_the_simulator_are_valid_by_the_schema() -> None:
    """By dxp.xsd: the published schema of receipts, completed by ours where it is unknown."""
    for content in (
        receipt_for("Z-1"),
        batch(("Z-1", Reply.WAITING), count=2),
        simulator.receipt("Z-1", "-1201001", "坏"),
    ):
        assert envelope.checked(content, envelope_schema()).tag == f"{{{envelope.DXP}}}DxpRep"


FOREIGN = {
    "the whole receipt": lambda xml: xml.replace(b'xmlns="http://www.chinaport.gov.cn/dxp"', b'xmlns="urn:another"'),
    "no namespace at all": lambda xml: xml.replace(b' xmlns="http://www.chinaport.gov.cn/dxp"', b""),
    "one result": lambda xml: xml.replace(b"<Result>", b'<Result xmlns="urn:another">'),
    "the state": lambda xml: xml.replace(b"<State>", b'<State xmlns="urn:another">'),
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("file", ["r.xml", "Failed_{}_20261125101112.xml"])
def test_a_receipt_of_a_foreign_namespace_is_stored_and_not_applied(
    make_application: Making, door: Door, what: str, file: str
) -> None:
    """Neither by its content nor by its file name."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        received = FOREIGN[what](receipt_for(name))
        assert received != receipt_for(name)
        inbox.store_and_process(session, file.format(name), received, PACE)
        assert statuses(session) == [Status.FILED]
        message = session.scalars(select(CustomsMessage)).one()
        assert (message.answered_at, message.faults, message.notes) == (None, 0, [])
        (stored,) = session.scalars(select(CustomsReceipt))
        assert (stored.raw, stored.strange) == (received, True)
