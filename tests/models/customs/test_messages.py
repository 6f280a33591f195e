"""The outbox (lease, order, retries, rate limit) and the content of a message."""

import json
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

from models import clock, customs
from models.acts import filing
from models.acts.completeness import Incomplete
from models.application import Application
from models.application.carriers import Carrier
from models.certificate import Certificate, frozen
from models.codes import names_of
from models.columns import granted, written
from models.customs import CustomsLetter, CustomsMessage, envelope, outbox, reconciliation
from models.customs.envelope import Parties
from models.customs.health import health
from models.customs.outbox import Pace
from models.customs.schema import message_xsd
from models.database import Exact, db, triggers
from models.text import without_useless
from models.vocabulary import Action, Filing
from models.workflow import Refused
from tests.conftest import Acting, House, Making, Recording
from tests.models.acts.test_races import at_once
from tests.models.conftest import Door
from views.resources import office

PACE = Pace()
LEASE = timedelta(seconds=PACE.lease + 1)
XS = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """`wait(timedelta(…))`: move the clock forward by this much from the real time."""
    really = clock.now

    def moved(by: timedelta) -> None:
        monkeypatch.setattr(clock, "now", lambda: really() + by)

    return moved


def claimed(session: Session) -> str | None:
    """Claim the next message; its id, or None."""
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
        """CU4, CU13: after a crash another worker takes over, and the attempt was counted."""
        make_application(status="filed")
        with door() as session, door() as other:
            first = claimed(session)
            assert first is not None
            assert claimed(other) is None
            wait(LEASE)
            assert claimed(other) == first
            assert other.scalars(select(CustomsMessage.attempts)).one() == 2

    def test_a_message_of_a_clock_that_was_ahead_is_sent_now(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """It does not wait for that moment; after an attempt its pause and lease hold, and /healthz tells of it."""
        wait(timedelta(hours=5))
        make_application(status="filed")
        wait(timedelta())
        with door() as session:
            assert health(session, PACE).overdue == 1
            message = outbox.claim(session, PACE)
            assert message is not None
            assert claimed(session) is None
            outbox.end_attempt(session, message.id, message.attempts, "没有应答", PACE)
            assert claimed(session) is None
            wait(timedelta(minutes=1))
            assert claimed(session) is not None

    @pytest.mark.slow
    def test_attempts_of_a_clock_that_was_ahead_hold_nothing_up(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """Neither their lease, nor their pause, nor their part of the rate limit."""
        make_application(status="filed")
        with door() as session:
            wait(timedelta(hours=50))
            few = Pace(per_minute=1)
            message = outbox.claim(session, few)
            assert message is not None
            wait(timedelta())
            message = outbox.claim(session, few)
            assert message is not None
            wait(timedelta(hours=50))
            outbox.end_attempt(session, message.id, message.attempts, "没有应答", PACE)
            wait(timedelta(minutes=2))
            assert claimed(session) is not None

    @pytest.mark.slow
    def test_parallel_deliverers_claim_each_message_once(self, make_application: Making, door: Door) -> None:
        """RC8: no message twice, none left out."""
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
            assert customs.record_answer(session, True, "0000", CustomsMessage.message_id == grant)
            session.commit()
            assert claimed(session) == revocation

    @pytest.mark.slow
    def test_pauses_grow_vary_and_end_at_an_hour(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """CU14: exponential back-off with jitter."""
        make_application(status="filed")
        pauses, later = [], timedelta()
        with door() as session:
            for attempt in range(1, 15):
                message = outbox.claim(session, PACE)
                assert message is not None
                assert message.attempts == attempt
                outbox.end_attempt(session, message.id, attempt, "海关网关没有应答。", PACE)
                assert (message.answer, message.claimed_until) == ("海关网关没有应答。", None)
                assert claimed(session) is None
                pauses.append((message.next_at - clock.now()).total_seconds())
                wait(later := later + timedelta(hours=2))
        assert 3.9 < pauses[0] < 6.1
        assert 15 < pauses[2] < 25
        assert all(2800 < pause < 4400 for pause in pauses[10:])
        assert len(set(pauses)) == len(pauses)

    @pytest.mark.slow
    def test_parallel_deliverers_share_one_rate_limit(self, make_application: Making, door: Door) -> None:
        """The E-port accepts fewer than 100 a minute from all workers together: they share one count."""
        for _ in range(9):
            make_application(status="filed")

        def work() -> int:
            with door() as session:
                return len(list(iter(lambda: outbox.claim(session, Pace(per_minute=4)), None)))

        assert sum(at_once(*[work] * 6)) == 4  # type: ignore[arg-type]

    def test_every_attempt_is_recorded_also_of_deliverers_that_died(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """CU14: one row per attempt, numbered without a restart; its bytes are never overwritten."""
        make_application(status="filed")
        with door() as session:
            for turn in range(3):
                wait(LEASE * turn)
                message = outbox.claim(session, PACE)
                assert message is not None
            outbox.save_letter(session, message, b"<DxpMsg/>")
            letters = session.scalars(select(CustomsLetter).order_by(CustomsLetter.id)).all()
            assert [(row.attempt, row.asks, row.raw) for row in letters] == [
                (1, False, None), (2, True, None), (3, True, b"<DxpMsg/>"),
            ]  # fmt: skip

    def test_a_deliverer_whose_claim_expired_before_a_release_changes_nothing(
        self, make_application: Making, door: Door
    ) -> None:
        """Set aside, released, claimed by another worker: the expired claim is not confused with the current one."""
        make_application(status="filed")
        with door() as session:
            late = outbox.claim(session, Pace(lease=0))
            assert late is not None
            key, turn = late.id, late.attempts
            other = outbox.claim(session, PACE)
            assert other is not None
            outbox.end_attempt(session, key, other.attempts, "报文无法写成。", Pace(tries=1), fault=True)
            assert outbox.release(session, late)
            mine = outbox.claim(session, PACE)
            assert mine is not None
            until = mine.claimed_until
            outbox.end_attempt(session, key, turn, "迟到", PACE, sent=False)
            session.refresh(mine)
            assert (mine.claimed_until, mine.sent_in) == (until, 1)

    def test_a_deliverer_whose_claim_expired_postpones_nothing(
        self, make_application: Making, door: Door, wait: Callable[[timedelta], None]
    ) -> None:
        """Another worker holds the lease; the late one must change nothing."""
        make_application(status="filed")
        with door() as session:
            outbox.claim(session, PACE)
            wait(LEASE)
            second = outbox.claim(session, PACE)
            assert second is not None
            until = second.claimed_until
            outbox.end_attempt(session, second.id, 1, "迟到", PACE)
            assert (second.claimed_until, second.answer) == (until, None)

    def test_an_answer_is_noted_once(self, make_application: Making, door: Door) -> None:
        """CU7: a second answer changes nothing."""
        make_application(status="filed")
        with door() as session:
            assert customs.record_answer(session, False, "2001 退单")
            assert not customs.record_answer(session, True, "0000 已接收")
            message = session.scalars(select(CustomsMessage)).one()
            assert (message.accepted, message.answer) == (False, "2001 退单")
            session.commit()
            assert claimed(session) is None

    def test_a_receipt_that_came_another_way_closes_the_message(self, make_application: Making, door: Door) -> None:
        """A message that customs has answered is not sent."""
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
    """The root element of the message as sent."""
    return envelope.parsed(envelope.business_xml(message))


class TestLimits:
    @pytest.mark.slow
    def test_what_is_too_long_for_customs_is_refused_before_it_is_submitted(
        self, make_application: Making, acting: Acting, on_record: Recording
    ) -> None:
        """CU9: the size limit is checked at submission, when the applicant can still correct it."""
        key = make_application(status="draft", carriers=1200, title="长" * 300)
        with acting("publisher") as by:
            application = db.session.get_one(Application, key)
            for carrier in application.carriers:
                carrier.specification, carrier.note = "规" * 255, "备" * 200
            db.session.commit()
            with pytest.raises(envelope.Unsendable, match="1 MB"):
                filing.perform(db.session(), Action.SUBMIT, application, by)
            db.session.rollback()
        assert on_record(key)["application"][0]["status"] == "draft"

    def test_what_no_message_can_carry_is_refused_before_it_is_submitted(self, make_application: Making) -> None:
        """CU10: never silently changed. Characters that cannot be printed are reported by field, and first."""
        with pytest.raises(Incomplete) as refused:
            make_application(status="pending", title="坏\ufffe")
        assert "无法打印" in refused.value.missing["title"]
        with pytest.raises(envelope.Unsendable, match="无法写入海关报文"):
            envelope.check_sendable(Application(title="坏\ufffe", carriers=[]))


class TestMessage:
    @pytest.mark.slow
    def test_what_is_sent_is_what_was_granted(self, make_application: Making, door: Door) -> None:
        """CU10: Chinese, XML markup, characters beyond the BMP: all arrive as granted, whatever changed later."""
        title = "《𠮷祥 & <盘>》“\"'”ＤＶＤ㈱ é ]]> &amp;"
        key = make_application(status="filed", carriers=2, title=title, isbn=None)
        with door() as session:
            triggers.remove(session.connection())
            session.get_one(Application, key).title = "后来改过的名称"
            session.flush()
            triggers.install(session.connection())
            session.commit()
            message = session.scalars(select(CustomsMessage)).one()
            xml, root, snapshot = envelope.business_xml(message), sent(message), message.certificate.snapshot
            assert envelope.business_xml(message) == xml
        assert xml.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
        assert "𠮷祥".encode() in xml
        assert root.findtext("{*}application/{*}title") == title == snapshot["title"]
        assert root.find("{*}application/{*}isbn") is None
        assert [child.text for child in root.find("{*}carriers")[1]] == [
            snapshot["carriers"][1][name] for name in granted(Carrier) if name in snapshot["carriers"][1]
        ]
        assert root.findtext("{*}message_id").startswith(root.findtext("{*}certificate/{*}number"))

    @pytest.mark.slow
    def test_no_entity_is_expanded_in_what_is_received(self, make_application: Making, door: Door) -> None:
        """A message must not make its reader open a file (XXE)."""
        make_application(status="filed", title="商品名称")
        with door() as session:
            xml = envelope.business_xml(session.scalars(select(CustomsMessage)).one()).decode()
        bad = xml.replace("\n", '\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', 1)
        with pytest.raises(etree.LxmlError):
            envelope.parsed(bad.replace("商品名称", "&e;").encode())

    def test_the_schema_of_each_field_follows_from_its_column(self) -> None:
        """CU9: no field is missing, none is cut."""
        schema = etree.fromstring(message_xsd())
        for kind, some, last in (
            ("application", {"title text300 1", "isbn text20 0", "port named 1"}, "expected_on"),
            ("carrier", {"position xs:positiveInteger 1", "kind named 0", "quantity amount 1"}, "note"),
        ):
            elements = schema.findall(f"{XS}complexType[@name='{kind}']//{XS}element")
            types = [" ".join((e.get("name"), e.get("type"), e.get("minOccurs", "1"))) for e in elements]
            assert some <= set(types)
            assert types[-1].startswith(last)
        assert not {"summary", "contact", "phone"} & {element.get("name") for element in schema.iter(f"{XS}element")}


def free(column: Any) -> bool:
    """Whether the column holds free text: no code, status word, number or date."""
    return type(column.type).__name__ == "String" and "codes" not in column.info


TEXT = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff", include_characters="\n\t")


def value_of(column: Any) -> st.SearchStrategy[Any]:
    """Any value that a valid application can hold in this column."""
    if column.info.get("codes") == "district":  # which the operator keeps
        return st.sampled_from(["2201", "2248", "5141"])
    if "codes" in column.info:
        return st.sampled_from(sorted(names_of(column.info["codes"])))
    if isinstance(column.type, Exact):
        return st.decimals(Decimal("0.00001"), Decimal(10) ** 13, places=5)
    if isinstance(column.type, Date):
        return st.dates(date(2000, 1, 1), date(2099, 12, 31))
    if not free(column):
        return st.sampled_from([*column.type.words])
    return st.text(TEXT, min_size=1, max_size=column.type.length)


def filled(model: Any, names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Values of a row: all required columns, and any of the others."""
    columns = {name: model.__table__.columns[name] for name in names}
    values = {name: value_of(column) for name, column in columns.items()}
    rest = {name: values.pop(name) for name, column in columns.items() if not column.info.get("required")}
    return st.fixed_dictionaries(values, optional=rest)


GRANTED = tuple(name for name in written(Application) if name in granted(Application))
NAMES = st.text(TEXT, min_size=1, max_size=50)
OWN = st.fixed_dictionaries(
    {
        "number": st.from_regex(r"\ASQ2026[0-9]{8}\Z"),
        "applied_on": st.dates(date(2000, 1, 1), date(2099, 12, 31)),
        "applicant_name": st.text(TEXT, min_size=1, max_size=100),
        "publisher_name": st.text(TEXT, min_size=1, max_size=100),
        "applicant_code": st.just("12320000466000101W"),
        "publisher_code": st.just("91320000134700202X"),
        "authority": NAMES,
        "filing": st.sampled_from([*Filing]),
    }
)
CARRIERS = st.lists(filled(Carrier, granted(Carrier)[1:]), min_size=1, max_size=3)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    OWN,
    filled(Application, GRANTED),
    CARRIERS,
    NAMES,
    st.none() | st.dates(date(2026, 1, 1), date(2099, 12, 31)),
    st.none() | st.just("Z3220250000017"),
    st.sampled_from([Action.GRANT, Action.RESEND, Action.REVOKE]),
)
def test_every_application_that_can_be_granted_makes_a_valid_message(
    on_sqlite: House,
    own: dict[str, Any],
    written: dict[str, Any],
    carriers: list[dict[str, Any]],
    signer: str,
    until: date | None,
    replaced: str | None,
    act: Action,
) -> None:
    """CU9, CU10: what was submitted is granted, frozen, sent, valid by the schema, and read back exactly."""
    replaces = Certificate(number=replaced) if replaced else None
    application = Application(**own, **written, replaces=replaces)
    application.carriers = [Carrier(position=n, **row) for n, row in enumerate(carriers, start=1)]
    with on_sqlite.app.app_context():
        envelope.check_sendable(application)
        snapshot = frozen(application)
        db.session.remove()
        db.engine.dispose()  # the next test has another file of this name
    certificate = Certificate(
        number="Z3220260000017",
        issued_on=date(2026, 11, 23),
        valid_until=until,
        authority=own["authority"],
        signer=signer,
        content=json.dumps(snapshot),
        digest="0" * 64,
    )
    message = CustomsMessage(certificate=certificate, message_id="Z3220260000017-3", act=act, queued_at=clock.now())
    data = envelope.business_xml(message)
    parties = Parties("A", "B")
    wrapped = envelope.enveloped(message.message_id, envelope.CERTIFICATE, clock.now(), data, parties, b"\x30" * 9)
    assert envelope.opened(wrapped).data == data
    root = sent(message)
    head, body = children(root.find("{*}certificate")), children(root.find("{*}application"))
    assert (head["signer"], head.get("valid_until"), head.get("replaces")) == (signer, until and str(until), replaced)
    rows = snapshot.pop("carriers")
    snapshot.pop("replaces", None)
    assert body == snapshot
    assert [children(row) for row in root.find("{*}carriers")] == rows
    for name in (name for name, value in written.items() if isinstance(value, str)):
        text = str(getattr(written[name], "label", written[name]))
        assert body[name].startswith(without_useless(text) or text), "a code with its name"


def children(element: Any) -> dict[str, str]:
    """Name → text."""
    return {etree.QName(child).localname: child.text for child in element}
