"""The outbox: what it holds, who gets a message, in which order, and what the message says."""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import Date, select
from sqlalchemy.orm import Session

from models import clock, customs, filing, letter, outbox, reconciliation
from models.application import Application, Carrier
from models.certificate import APPLICATION_FIELDS, CARRIER_FIELDS, Certificate
from models.codes import names_of
from models.customs import CustomsMessage
from models.db import Exact, db, tidy
from models.letter import Parties
from models.outbox import Pace
from models.vocabulary import Action, Category, Filing
from models.workflow import Refused
from tests.conftest import Acting, Making, Recording
from tests.models.conftest import Door
from tests.models.test_races import at_once
from views.office import office

PACE = Pace()
LEASE = timedelta(seconds=PACE.lease + 1)
XS = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """`wait(timedelta(…))`: from now on it is so much later."""
    really = clock.now

    def moved(by: timedelta) -> None:
        monkeypatch.setattr(clock, "now", lambda: really() + by)

    return moved


def claimed(session: Session) -> str | None:
    """The id of the next message, claimed."""
    message = outbox.claim(session, PACE)
    return message and message.message_id


class TestOutbox:
    def test_an_act_that_is_rolled_back_leaves_no_message(
        self, make_application: Making, acting: Acting, on_record: Recording, door: Door
    ) -> None:
        """RC6: the message is written in the transaction of the act."""
        key = make_application(status="pending")
        with acting("reviewer") as by:
            filing.perform(db.session(), Action.GRANT, db.session.get_one(Application, key), by, office=office())
            assert db.session.scalars(select(CustomsMessage)).one().act is Action.GRANT
            db.session.rollback()
        assert on_record(key)["customs_message"] == []
        with door() as session:
            assert outbox.claim(session, PACE) is None

    def test_a_claimed_message_is_nobody_elses_until_its_lease_ends(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """CU4, CU13: a deliverer that died is succeeded, and its attempt was counted."""
        make_application(status="filed")
        with door() as session, door() as other:
            first = claimed(session)
            assert first is not None
            assert claimed(other) is None
            wait(LEASE)
            assert claimed(other) == first
            assert other.scalars(select(CustomsMessage.attempts)).one() == 2

    def test_deliverers_at_once_claim_each_message_once(self, make_application: Making, door: Door) -> None:
        """RC8: no message twice, none forgotten."""
        names = {make_application(status="filed") for _ in range(8)}

        def work() -> list[int]:
            with door() as session:
                return [message.application_id for message in iter(lambda: outbox.claim(session, PACE), None)]

        shares = at_once(*[work] * 4)
        assert sorted(key for share in shares for key in share) == sorted(names)  # type: ignore[attr-defined]

    def test_a_revocation_waits_for_the_grant_and_no_other_certificate_does(
        self, make_application: Making, on_record: Recording, door: Door
    ) -> None:
        """The business order of one certificate holds."""
        revoked, filed = make_application(status="revoked"), make_application(status="filed")
        grant, revocation = (row["message_id"] for row in on_record(revoked)["customs_message"])
        (other,) = (row["message_id"] for row in on_record(filed)["customs_message"])
        with door() as session:
            assert [claimed(session) for _ in range(3)] == [grant, other, None]
            assert customs.settle(session, True, "0000", CustomsMessage.message_id == grant)
            session.commit()
            assert claimed(session) == revocation

    def test_pauses_grow_vary_and_end_at_an_hour(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """CU14: each failure counts, and is followed by a longer pause."""
        make_application(status="filed")
        pauses, later = [], timedelta()
        with door() as session:
            for attempt in range(1, 15):
                message = outbox.claim(session, PACE)
                assert message is not None
                assert message.attempts == attempt
                outbox.postpone(session, message.id, attempt, "海关网关没有应答。", PACE)
                assert (message.answer, message.claimed_until) == ("海关网关没有应答。", None)
                assert claimed(session) is None
                pauses.append((message.next_at - clock.now()).total_seconds())
                wait(later := later + timedelta(hours=2))
        assert 3.9 < pauses[0] < 6.1
        assert 15 < pauses[2] < 25
        assert all(2800 < pause < 4400 for pause in pauses[10:])
        assert len(set(pauses)) == len(pauses)

    def test_a_deliverer_that_came_back_late_puts_off_nothing(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """Its claim has passed on, and so has the say."""
        make_application(status="filed")
        with door() as session:
            outbox.claim(session, PACE)
            wait(LEASE)
            second = outbox.claim(session, PACE)
            assert second is not None
            until = second.claimed_until
            outbox.postpone(session, second.id, 1, "迟到", PACE)
            assert (second.claimed_until, second.answer) == (until, None)

    def test_an_answer_is_noted_once(self, make_application: Making, door: Door) -> None:
        """CU7: the second changes nothing."""
        make_application(status="filed")
        with door() as session:
            assert customs.settle(session, False, "2001 退单")
            assert not customs.settle(session, True, "0000 已接收")
            message = session.scalars(select(CustomsMessage)).one()
            assert (message.accepted, message.answer) == (False, "2001 退单")
            session.commit()
            assert claimed(session) is None

    def test_a_receipt_that_came_another_way_closes_the_message(self, make_application: Making, door: Door) -> None:
        """What customs has answered is not sent."""
        make_application(status="customs_received")
        with door() as session:
            assert claimed(session) is None
            message = session.scalars(select(CustomsMessage)).one()
            assert (message.accepted, message.answer) == (True, "回执说明")
            assert reconciliation.ledger(session) == {}  # it was never sent by us

    def test_a_receipt_that_is_not_awaited_closes_nothing(self, make_application: Making, door: Door) -> None:
        """A refused act changes nothing."""
        key = make_application(status="revoked")
        with door() as session:
            with pytest.raises(Refused, match="当前状态为「已作废」，不接受海关回执"):
                filing.customs_replied(session, session.get_one(Application, key), True)
            assert claimed(session) is not None


def sent(message: CustomsMessage) -> Any:
    """The message as its reader gets it."""
    return letter.parsed(letter.business_xml(message))


class TestLimits:
    def test_what_is_too_long_for_customs_is_told_before_it_is_submitted(
        self, make_application: Making, acting: Acting, on_record: Recording
    ) -> None:
        """CU9: the limits of the message hold where a person can still do something about it."""
        key = make_application(status="draft", carriers=1200, title="长" * 300)
        with acting("publisher") as by:
            application = db.session.get_one(Application, key)
            for carrier in application.carriers:
                carrier.specification, carrier.note = "规" * 255, "备" * 200
            db.session.commit()
            with pytest.raises(letter.Unsendable, match="1 MB"):
                filing.perform(db.session(), Action.SUBMIT, application, by)
            db.session.rollback()
        assert on_record(key)["application"][0]["status"] == "draft"

    def test_what_no_message_can_carry_is_told_before_it_is_submitted(self, make_application: Making) -> None:
        """CU10: never silently changed."""
        with pytest.raises(letter.Unsendable, match="无法写入海关报文"):
            make_application(status="pending", title="坏\ufffe")


class TestMessage:
    def test_what_is_sent_is_what_was_granted(self, make_application: Making, door: Door) -> None:
        """CU10: Chinese, marks of XML, characters beyond the BMP: all arrive as granted, whatever came later."""
        title = "《𠮷祥 & <盘>》“\"'”ＤＶＤ㈱ é ]]> &amp;"
        key = make_application(status="filed", carriers=2, title=title, isbn=None)
        with door() as session:
            session.get_one(Application, key).title = "后来改过的名称"
            session.commit()
            message = session.scalars(select(CustomsMessage)).one()
            xml, root, snapshot = letter.business_xml(message), sent(message), message.certificate.snapshot
            assert letter.business_xml(message) == xml
        assert xml.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
        assert "𠮷祥".encode() in xml
        assert root.findtext("{*}application/{*}title") == title == snapshot["title"]
        assert root.find("{*}application/{*}isbn") is None
        assert [child.text for child in root.find("{*}carriers")[1]] == [
            snapshot["carriers"][1][name] for name in CARRIER_FIELDS if name in snapshot["carriers"][1]
        ]
        assert root.findtext("{*}message_id").startswith(root.findtext("{*}certificate/{*}number"))

    def test_no_entity_is_expanded_in_what_is_received(self, make_application: Making, door: Door) -> None:
        """A message is data: it makes its reader open no file."""
        make_application(status="filed", title="商品名称")
        with door() as session:
            xml = letter.business_xml(session.scalars(select(CustomsMessage)).one()).decode()
        bad = xml.replace("\n", '\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', 1)
        with pytest.raises(etree.LxmlError):
            letter.parsed(bad.replace("商品名称", "&e;").encode())

    def test_the_schema_has_every_granted_field_with_the_length_of_its_column(self) -> None:
        """CU9: no field is forgotten, none is cut."""
        schema = etree.parse(letter.SCHEMA)
        for kind, model, names in (
            ("application", Application, APPLICATION_FIELDS),
            ("carrier", Carrier, CARRIER_FIELDS),
        ):
            elements = schema.findall(f"{XS}complexType[@name='{kind}']//{XS}element")
            assert [element.get("name") for element in elements] == list(names)
            for element in elements:
                most = re.fullmatch(r"text(\d+)", element.get("type"))
                column = model.__table__.columns[element.get("name")]
                assert (int(most[1]) if most else None) == (column.type.length if free(column) else None), column


def free(column: Any) -> bool:
    """Whether people write what they like: no code, no word, no number, no date."""
    return type(column.type).__name__ == "String" and "codes" not in column.info


TEXT = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff", include_characters="\n\t")


def value_of(column: Any) -> st.SearchStrategy[str]:
    """Any text that a valid application can put into the snapshot from this column."""
    if column.key == "position":
        return st.integers(1, 3000).map(str)
    if column.info.get("codes") == "district":
        return st.from_regex(r"\A[0-9]{4}-[一-龥]{1,50}\Z")
    if "codes" in column.info:
        return st.sampled_from([f"{code}-{name}" for code, name in names_of(column.info["codes"]).items()])
    if isinstance(column.type, Exact):
        amounts = st.decimals(Decimal("0.00001"), Decimal(10) ** 13, places=5)
        return amounts.map(lambda amount: str(tidy(amount)))
    if isinstance(column.type, Date):
        return st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(str)
    if not free(column):
        return st.sampled_from([str(word.label) for word in (*Filing, *Category)])
    return st.text(TEXT, min_size=1, max_size=column.type.length)


def row_of(model: Any, names: tuple[str, ...], optional: Callable[[Any], bool]) -> st.SearchStrategy[dict[str, str]]:
    """A snapshot's row: what must be filled, and any of the rest."""
    columns = {name: model.__table__.columns[name] for name in names}
    values = {name: value_of(column) for name, column in columns.items()}
    rest = {name: values.pop(name) for name, column in columns.items() if optional(column)}
    return st.fixed_dictionaries(values, optional=rest)


BY_HAND = {"number", "applied_on", "applicant_name", "applicant_code", "filing", "publisher_name", "publisher_code"}
APPLICATIONS = row_of(
    Application,
    APPLICATION_FIELDS,
    lambda column: column.key not in BY_HAND | {"authority"} and not column.info.get("required"),
)
CARRIERS = row_of(Carrier, CARRIER_FIELDS, lambda column: column.key != "position" and not column.info.get("required"))


@settings(max_examples=40, deadline=None)
@given(APPLICATIONS, st.lists(CARRIERS, min_size=1, max_size=3))
def test_every_application_that_can_be_granted_makes_a_valid_message(
    application: dict[str, str], carriers: list[dict[str, str]]
) -> None:
    """CU9, CU10: valid by the schema, and read back character for character."""
    certificate = Certificate(
        number="Z3220260000017",
        issued_on=date(2026, 11, 23),
        authority="江苏省新闻出版局",
        signer="陈静",
        content=json.dumps(application | {"carriers": carriers}),
        digest="0" * 64,
    )
    message = CustomsMessage(
        certificate=certificate, message_id="Z3220260000017-3", act=Action.GRANT, queued_at=clock.now()
    )
    root = sent(message)
    data = letter.business_xml(message)
    enveloped = letter.enveloped(
        message.message_id, letter.CERTIFICATE, clock.now(), data, Parties("A", "B"), b"\x30" * 9
    )
    assert letter.opened(enveloped).data == data
    assert {etree.QName(child).localname: child.text for child in root.find("{*}application")} == application
    for row, element in zip(carriers, root.find("{*}carriers"), strict=True):
        assert {etree.QName(child).localname: child.text for child in element} == row
