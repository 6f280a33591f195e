"""Receipts of every malformed kind: each is stored as received, handled by rule, and does not stop the others."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.application import locking
from models.customs import CustomsMessage, envelope, receipt
from models.customs.receipt import CustomsReceipt
from models.customs.schema import envelope_schema
from models.exchange import inbox
from models.vocabulary import Action, Reply, Status
from tests.cast import perform_step
from tests.conftest import MakeApplication
from tests.models.conftest import SystemSession
from tests.models.customs.made_receipts import PACE, WORDS, batch, receipt_for, sent, statuses, stored_bytes, unread
from views.demo import simulator

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
def test_a_receipt_is_read_in_every_encoding_and_form(
    make_application: MakeApplication, system_session: SystemSession, dress: str
) -> None:
    """CU6, CU10: BOM, trailing blanks, CRLF, GB 18030, folded ids; no Chinese character is changed."""
    make_application(status="filed")
    with system_session() as session:
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
def test_an_unreadable_receipt_is_stored_and_decides_nothing(
    make_application: MakeApplication, system_session: SystemSession, shape: str
) -> None:
    """CU5: the message still waits, and the next receipt counts."""
    make_application(status="filed")
    with system_session() as session:
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


def test_an_xml_comment_does_not_cut_a_number(make_application: MakeApplication, system_session: SystemSession) -> None:
    """Z…-5<!-- -->0 is about Z…-50, which does not exist here, and never about Z…-5."""
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
        cut = receipt_for(f"{name}#0").replace(b"#", b"<!-- --><?x?>")
        assert f"{name}0：我方没有这份报文" in inbox.store_and_process(session, "a.xml", cut, PACE)[0]
        assert statuses(session) == [Status.FILED]


@pytest.mark.parametrize("count", ["", ' count="0"'])
def test_an_empty_list_of_results_is_a_transport_receipt(
    make_application: MakeApplication, system_session: SystemSession, count: str
) -> None:
    """Code 0 without results: the letter named in the head was forwarded."""
    make_application(status="filed")
    with system_session() as session:
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
    make_application: MakeApplication, system_session: SystemSession, file: str, reply: Reply
) -> None:
    """For bytes that are no receipt: they may be the letter itself, returned."""
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
        assert inbox.store_and_process(session, file.format(name), b"<DxpMsg/>", PACE) == [f"{name}：{reply.label}"]
        assert session.scalars(select(CustomsMessage.faults)).one() == (reply is Reply.FAULT)
        inbox.store_and_process(session, f"Receipt_{name}_1.xml", receipt_for(name), PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_an_invalid_file_name_is_stored_without_the_invalid_characters(
    make_application: MakeApplication, system_session: SystemSession
) -> None:
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
        inbox.store_and_process(session, "回\udcbb\ud800\0.xml", receipt_for(name), PACE)
        assert session.scalars(select(CustomsReceipt.name)).one() == "回??.xml"
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_the_sentence_of_a_version_conflict_is_not_stored_as_an_answer(
    make_application: MakeApplication, system_session: SystemSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person acts on the application while the receipt is processed: it is noted in the next round."""
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)

        def busy(*_args: object) -> bool:
            raise locking.Conflict("您的操作没有保存")

        monkeypatch.setattr(inbox, "_apply", busy)
        assert inbox.store_and_process(session, "a.xml", receipt_for(name), PACE) == [
            f"{name}：申请正在办理，回执稍后登记。"
        ]
        monkeypatch.undo()
        (left,) = unread(session)
        inbox.process(session, left, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]


def test_a_receipt_for_a_revoked_certificate_is_noted_and_moves_nothing(
    app: Flask, make_application: MakeApplication, system_session: SystemSession
) -> None:
    key = make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
    perform_step(app, Action.REVOKE, key, "publisher")
    with system_session() as session:
        inbox.store_and_process(session, "a.xml", receipt_for(name), PACE)
        assert statuses(session) == [Status.REVOKED]


def test_the_receipt_of_a_reader_that_died_is_processed_in_the_next_round(
    make_application: MakeApplication, system_session: SystemSession
) -> None:
    """CU13: the bytes were stored, but the receipt was not processed yet."""
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
        receipt.store(session, "a.xml", receipt_for(name))
        (left,) = unread(session)
        inbox.process(session, left, PACE)
        assert unread(session) == []
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
    """By dxp.xsd: the published schema of receipts, with assumed parts where nothing is published."""
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
    make_application: MakeApplication, system_session: SystemSession, what: str, file: str
) -> None:
    """It is applied neither by its content nor by its file name."""
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
        received = FOREIGN[what](receipt_for(name))
        assert received != receipt_for(name)
        inbox.store_and_process(session, file.format(name), received, PACE)
        assert statuses(session) == [Status.FILED]
        message = session.scalars(select(CustomsMessage)).one()
        assert (message.answered_at, message.faults, message.notes) == (None, 0, [])
        (stored,) = session.scalars(select(CustomsReceipt))
        assert (stored.raw, stored.strange) == (received, True)
