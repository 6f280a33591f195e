"""Receipts of every odd shape: each is kept as received, each is handled by rule, and none stops another."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import inbox, letter, outbox, receipt
from models.application import Application
from models.customs import CustomsMessage, CustomsNote
from models.outbox import Pace
from models.receipt import CustomsReceipt
from models.vocabulary import Action, Reply, Status
from tests.cast import take
from tests.conftest import Making
from tests.models.conftest import Door
from views import simulator

PACE = Pace()
WORDS = "已接收：𠮷祥"


def said(name: str, says: Reply = Reply.ACCEPTED, code: str = "0000", words: str = WORDS) -> bytes:
    """A business receipt about one message."""
    return simulator.receipt(name, "0", "", simulator.result(name, says, code, words))


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
        assert (kept.raw, kept.strange, kept.read_at is not None) == (BROKEN[shape], True, True)
        inbox.take(session, "good.xml", said(name), PACE)
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
        receipt.kept(session, "a.xml", said(name))
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
        assert letter.checked(told, letter.ENVELOPE).tag == f"{{{letter.DXP}}}DxpRep"
