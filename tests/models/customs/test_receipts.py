"""Receipts of every odd shape: each is stored as received, handled by rule, and stops no other."""

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


def said(name: str, says: Reply = Reply.ACCEPTED, code: str = "0000", words: str = WORDS) -> bytes:
    """A business receipt about one message."""
    return simulator.receipt(name, "0", "", simulator.result(name, says, code, words))


def answer(name: str, attempt: int, says: Reply = Reply.UNKNOWN) -> bytes:
    """What customs says when it is asked in this attempt."""
    return simulator.receipt(f"{name}-Q{attempt}", "0", "", simulator.result(name, says, "", ""))


def batch(*told: tuple[str, Reply], count: int = 0) -> bytes:
    """One about several."""
    results = (simulator.result(name, says, "0000", WORDS) for name, says in told)
    return simulator.receipt("-", "0", "", *results, count=count)


def sent(session: Session) -> list[str]:
    """The ids of every message, claimed and so on their way."""
    return [message.message_id for message in iter(lambda: outbox.claim(session, PACE), None)]


def statuses(session: Session) -> list[Status]:
    """Of every application, oldest first."""
    return list(session.scalars(select(Application.status).order_by(Application.id)))


def raw(session: Session) -> list[bytes]:
    """Every receipt, as it was kept."""
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
def test_a_receipt_is_read_however_it_is_dressed(make_application: Making, door: Door, dress: str) -> None:
    """CU6, CU10: BOM, trailing blanks, CRLF, GB 18030, folded ids: read, and Chinese kept character for character."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        received = DRESSED[dress](said(name))
        inbox.take(session, "r.xml", received, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]
        assert session.scalars(select(CustomsMessage.answer)).one() == f"0000 {WORDS}"
        assert raw(session) == [received]


BROKEN = {
    "empty": b"",
    "blank": b"\r\n \x00",
    "truncated": said("Z3220260000017-5")[:-30],
    "no XML": "海关系统维护".encode(),
    "binary": bytes(range(256)),
    "another document": b"<DxpMsg/>",
    "no code": b"<DxpRep><Response/></DxpRep>",
    "a foreign entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><DxpRep>&e;</DxpRep>',
    "no known state": said("Z3220260000017-5").replace(b"accepted", b"perhaps"),
    "no id": said("Z3220260000017-5").replace(b"Z3220260000017-5", b""),
    "an id of more than text": said("Z-1").replace(b"Z-1", b"Z<x/>-1"),
    "a document type": b"<!DOCTYPE DxpRep>" + said("Z-1").partition(b"?>")[2],
    "too long to be kept whole": said("Z-1") + b" " * receipt.MOST,
}


@pytest.mark.parametrize("shape", BROKEN)
def test_what_cannot_be_read_is_kept_and_decides_nothing(make_application: Making, door: Door, shape: str) -> None:
    """CU5: neither valid nor invalid is no third state: the message goes on waiting, and the next receipt counts."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        assert len(inbox.take(session, "broken.xml", BROKEN[shape], PACE)) >= 1
        assert statuses(session) == [Status.FILED]
        (kept,) = session.scalars(select(CustomsReceipt))
        assert (kept.raw, kept.strange, kept.read_at is not None) == (BROKEN[shape][: receipt.MOST], True, True)
        assert kept.verdict
        assert inbox.take(session, "broken.xml", BROKEN[shape], PACE, "another attempt") == [], "the same noise once"
        inbox.take(session, "good.xml", said(name), PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_a_remark_does_not_cut_a_number(make_application: Making, door: Door) -> None:
    """Z…-5<!-- -->0 is about Z…-50, of which we know nothing, and never about Z…-5."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        cut = said(f"{name}#0").replace(b"#", b"<!-- --><?x?>")
        assert f"{name}0：我方没有这份报文" in inbox.take(session, "a.xml", cut, PACE)[0]
        assert statuses(session) == [Status.FILED]


@pytest.mark.parametrize("count", ["", ' count="0"'])
def test_an_empty_list_of_results_is_a_transport_receipt(make_application: Making, door: Door, count: str) -> None:
    """Code 0 and nothing more: handed on, about the letter in its head."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        empty = f"</ResponseInfo><Results{count}/>".encode()
        told = simulator.receipt(name, "0", "-").replace(b"</ResponseInfo>", empty)
        assert inbox.take(session, "a.xml", told, PACE) == [f"{name}：已转交，等待回执 -"]
        assert not session.scalars(select(CustomsReceipt.strange)).one()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("Successed_{}_20261125101112.xml", Reply.WAITING),
        ("Failed_{}_20261125101112.xml", Reply.FAULT),
        ("FailBox/{}.xml", Reply.FAULT),
        ("FailBox/{}-Q7.xml", Reply.FAULT),
    ],
)
def test_the_clients_names_tell_what_became_of_a_letter(
    make_application: Making, door: Door, file: str, says: Reply
) -> None:
    """Where the bytes are no receipt: they may be the letter itself, come back."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        assert inbox.take(session, file.format(name), b"<DxpMsg/>", PACE) == [f"{name}：{says.label}"]
        assert session.scalars(select(CustomsMessage.faults)).one() == (says is Reply.FAULT)
        inbox.take(session, f"Receipt_{name}_1.xml", said(name), PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_a_file_name_that_is_no_text_is_kept_as_far_as_it_is(make_application: Making, door: Door) -> None:
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        inbox.take(session, "回\udcbb\ud800\0.xml", said(name), PACE)
        assert session.scalars(select(CustomsReceipt.name)).one() == "回??.xml"
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_a_batch_is_noted_item_by_item(make_application: Making, door: Door) -> None:
    """CU5, CU7, CU8: unknown, twice, contradicting, wrongly counted, out of order: what is right in it counts."""
    for _ in range(3):
        make_application(status="filed")
    with door() as session:
        first, second, third = sent(session)
        told = batch(
            (third, Reply.REJECTED), ("Z9920260000019-3", Reply.ACCEPTED), (first, Reply.ACCEPTED),
            (first, Reply.REJECTED), (second, Reply.WAITING), count=9,
        )  # fmt: skip
        lines = inbox.take(session, "batch.xml", told, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED, Status.FILED, Status.CUSTOMS_FAILED]
        assert "应有 9 项，实有 5 项" in lines[0]
        assert any("我方没有这份报文" in line for line in lines)
        assert any("此前已登记" in line for line in lines)
        (kept,) = session.scalars(select(CustomsReceipt))
        assert kept.strange
        notes = session.scalars(select(CustomsNote.part).order_by(CustomsNote.id)).all()
        assert len(notes) == 4
        assert third not in str(notes[1:]), "what is kept beside a message speaks of no other"


def test_the_same_receipt_twice_is_dropped(make_application: Making, door: Door) -> None:
    """CU7, CU12: no second row, no second trail entry, no second note."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        received = said(name)
        assert inbox.take(session, "a.xml", received, PACE)
        assert inbox.take(session, "b.xml", received, PACE) == []
        assert raw(session) == [received]
        assert len(session.scalars(select(Application)).one().trail) == 9


def test_what_customs_has_decided_no_later_receipt_changes(make_application: Making, door: Door) -> None:
    """customs_received is final; late transport receipts, questions' answers and contradictions are only kept."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        inbox.take(session, "a.xml", said(name), PACE)
        for late in (
            said(name, Reply.REJECTED, "2001"),
            said(name, Reply.UNKNOWN, "", ""),
            simulator.receipt(name, "-1201003", "接收方不存在"),
            simulator.receipt(name, "0", "已转交"),
        ):
            assert "此前已登记" in inbox.take(session, "late.xml", late, PACE)[0]
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]
        message = session.scalars(select(CustomsMessage)).one()
        assert (message.accepted, message.faults, message.answer) == (True, 0, f"0000 {WORDS}")
        assert outbox.claim(session, PACE) is None


class TestWhichSend:
    """An answer is about the letter that it answers, whatever has been sent since."""

    @pytest.fixture
    def asked(self, make_application: Making, door: Door) -> Iterator[tuple[Session, str]]:
        """A message that was sent in attempt 1, and asked for in attempt 2; its deliverer died both times."""
        make_application(status="filed")
        haste = Pace(lease=0)
        with door() as session:
            name = outbox.claim(session, haste).message_id  # type: ignore[union-attr]
            outbox.claim(session, haste)
            yield session, name

    def test_a_fault_of_a_question_leads_to_another_question(self, asked: tuple[Session, str]) -> None:
        """The letter before it may have arrived: it is not sent again until customs says that it has not."""
        session, name = asked
        for fault in (simulator.receipt(f"{name}-Q2", "-1201002", "签名"), simulator.receipt(name, "-1201001", "格式")):
            inbox.take(session, "a.xml", fault, PACE)
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.unsure, again.sent_in, again.faults) == (True, 1, 2)

    def test_customs_says_that_it_is_not_there_and_it_is_sent_again(self, asked: tuple[Session, str]) -> None:
        session, name = asked
        inbox.take(session, "a.xml", answer(name, 2), PACE)
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.unsure, again.sent_in) == (False, 3)

    def test_an_answer_that_is_older_than_the_send_takes_nothing_back(self, asked: tuple[Session, str]) -> None:
        """Asked in attempt 2, sent again in 3, and only then the second answer to 2 comes in: 3 may be there."""
        session, name = asked
        inbox.take(session, "a.xml", answer(name, 2), PACE)
        outbox.claim(session, Pace(lease=0))
        for late in (answer(name, 2) + b"\n", said(name, Reply.UNKNOWN, "", "")):
            assert "所指并非当前发送" in inbox.take(session, "b.xml", late, PACE)[0]
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.unsure, again.sent_in) == (True, 3)

    def test_released_by_a_person_its_attempts_go_on_counting(self, asked: tuple[Session, str]) -> None:
        """Else an answer to the second question before would be taken for one to the second question now."""
        session, name = asked
        inbox.take(session, "a.xml", answer(name, 2), Pace(tries=1))
        message = session.scalars(select(CustomsMessage)).one()
        assert message.state is Delivery.SET_ASIDE
        assert message.answer == "海关没有收到。已搁置，待放行。"
        assert outbox.free(session, message)
        again = outbox.claim(session, Pace(lease=0))
        assert again is not None
        assert (again.attempts, again.unsure) == (3, False)
        outbox.claim(session, PACE)
        inbox.take(session, "b.xml", answer(name, 2) + b"\n", PACE)
        assert session.scalars(select(CustomsMessage.sent_in)).one() == 3

    def test_an_answer_leaves_the_claim_of_another_deliverer_alone(self, asked: tuple[Session, str]) -> None:
        """It is at customs' door this very moment: nobody else may have the message until its lease ends."""
        session, name = asked
        claimed = outbox.claim(session, PACE)
        assert claimed is not None
        until = claimed.claimed_until
        for told in (answer(name, 2), simulator.receipt(name, "-1201001", "格式"), simulator.receipt(name, "0", "")):
            inbox.take(session, "a.xml", told, PACE)
            assert session.scalars(select(CustomsMessage.claimed_until)).one() == until
            assert outbox.claim(session, PACE) is None

    def test_no_more_faults_are_counted_than_letters_were_sent(self, asked: tuple[Session, str]) -> None:
        """The same fault told by receipt and by FailBox is one."""
        session, name = asked
        for n in range(5):
            inbox.take(session, "a.xml", simulator.receipt(name, "-1201001", f"{n}"), PACE)
        assert session.scalars(select(CustomsMessage.faults)).one() == 2


class TestOnce:
    def test_a_receipt_read_again_after_a_crash_is_noted_once(self, make_application: Making, door: Door) -> None:
        """CU13: noted, but not yet marked as read; whoever reads it again changes nothing and wipes no claim."""
        make_application(status="filed")
        with door() as session:
            name = outbox.claim(session, Pace(lease=0)).message_id  # type: ignore[union-attr]
            outbox.claim(session, Pace(lease=0))
            inbox.take(session, "a.xml", answer(name, 2), PACE)
            key = session.scalars(select(CustomsReceipt.id)).one()
            resent = outbox.claim(session, PACE)
            assert resent is not None
            until = resent.claimed_until
            session.execute(update(CustomsReceipt).values(read_at=None))
            session.commit()
            lines = inbox.read(session, key, PACE)
            assert lines == [f"{name}：海关没有收到"]
            message = session.scalars(select(CustomsMessage)).one()
            assert (message.sent_in, message.claimed_until, message.faults) == (3, until, 1)
            assert len(session.scalars(select(CustomsNote.id)).all()) == 1
            assert inbox.unread(session) == []

    def test_readers_of_one_receipt_at_once_note_each_item_once(self, make_application: Making, door: Door) -> None:
        """RC8: one note an item, one trail entry an application, and every reader finishes."""
        for _ in range(6):
            make_application(status="filed")
        with door() as session:
            told = batch(*((name, Reply.REJECTED) for name in sent(session)))
            key = receipt.store(session, "a.xml", told).id

        def work() -> list[str]:
            with door() as session:
                return inbox.read(session, key, PACE)

        lines = at_once(*[work] * 4)
        assert [len(found) for found in lines] == [6] * 4  # type: ignore[arg-type]
        with door() as session:
            assert len(session.scalars(select(CustomsNote.id)).all()) == 6
            acts = session.scalars(select(TrailEntry.act)).all()
            assert acts.count("customs_rejected") == 6
            assert statuses(session) == [Status.CUSTOMS_FAILED] * 6


def test_no_word_of_a_persons_conflict_lands_in_a_message(
    make_application: Making, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody acts on the application for as long as the receipt is read: it is noted in the next round."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)

        def busy(*_args: object) -> bool:
            raise locking.Conflict("您的操作没有保存")

        monkeypatch.setattr(inbox, "_obeyed", busy)
        assert inbox.take(session, "a.xml", said(name), PACE) == [f"{name}：申请正在办理，回执稍后登记。"]
        monkeypatch.undo()
        (left,) = inbox.unread(session)
        inbox.read(session, left, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_a_receipt_for_a_revoked_certificate_is_noted_and_moves_nothing(
    app: Flask, make_application: Making, door: Door
) -> None:
    key = make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
    take(app, Action.REVOKE, key, "publisher")
    with door() as session:
        inbox.take(session, "a.xml", said(name), PACE)
        assert statuses(session) == [Status.REVOKED]


def test_a_reader_that_died_is_succeeded(make_application: Making, door: Door) -> None:
    """CU13: the bytes were kept, nothing was noted yet; the next round notes them."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        receipt.store(session, "a.xml", said(name))
        (left,) = inbox.unread(session)
        inbox.read(session, left, PACE)
        assert inbox.unread(session) == []
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.integers(0, 600), st.integers(0, 600))
def test_no_bytes_break_the_reader(noise: bytes, begin: int, end: int) -> None:
    """CU6: noise anywhere in a receipt is read or refused in a sentence, never a failure."""
    good = said("Z3220260000017-5")
    mixed = good[:begin] + noise + good[end:]
    with suppress(receipt.Unreadable):
        told, _odd = receipt.results(mixed)
        assert all(result.says in Reply for result in told)


def test_what_the_simulator_says_is_valid_by_the_schema() -> None:
    """The published schema of receipts, ours where theirs is unknown."""
    for told in (said("Z-1"), batch(("Z-1", Reply.WAITING), count=2), simulator.receipt("Z-1", "-1201001", "坏")):
        assert envelope.checked(told, envelope_schema()).tag == f"{{{envelope.DXP}}}DxpRep"


FOREIGN = {
    "the whole receipt": lambda xml: xml.replace(b'xmlns="http://www.chinaport.gov.cn/dxp"', b'xmlns="urn:another"'),
    "no namespace at all": lambda xml: xml.replace(b' xmlns="http://www.chinaport.gov.cn/dxp"', b""),
    "one result": lambda xml: xml.replace(b"<Result>", b'<Result xmlns="urn:another">'),
    "the state": lambda xml: xml.replace(b"<State>", b'<State xmlns="urn:another">'),
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("file", ["r.xml", "Failed_{}_20261125101112.xml"])
def test_a_receipt_of_a_foreign_namespace_is_kept_and_not_applied(
    make_application: Making, door: Door, what: str, file: str
) -> None:
    """Not by its content, and not by the name of its file either."""
    make_application(status="filed")
    with door() as session:
        (name,) = sent(session)
        received = FOREIGN[what](said(name))
        assert received != said(name)
        inbox.take(session, file.format(name), received, PACE)
        assert statuses(session) == [Status.FILED]
        message = session.scalars(select(CustomsMessage)).one()
        assert (message.answered_at, message.faults, message.notes) == (None, 0, [])
        (kept,) = session.scalars(select(CustomsReceipt))
        assert (kept.raw, kept.strange) == (received, True)
