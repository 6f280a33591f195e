"""核注 and 核销: receipts that report the use of a certificate."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from flask import Flask
from lxml import etree
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import access, verdict
from models.certificate import Certificate
from models.certificate.uses import CertificateUse, Usage
from models.customs import CustomsMessage
from models.customs.receipt import CustomsReceipt
from models.customs.schema import envelope_schema
from models.exchange import inbox
from models.integrity import contents
from models.integrity.receipts import unrecorded_uses
from models.vocabulary import Action, Reply, Status
from tests.apps import engine_of_owner, without_triggers
from tests.browsing import ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.models.conftest import SystemSession
from tests.models.customs.made_receipts import PACE, receipt_for, sent, statuses
from tests.models.notifications.test_events import notified
from views.demo import simulator

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
NUMBER = "220120261000000017"


def used(name: str, says: Reply = Reply.USED_UP, number: str = NUMBER) -> bytes:
    """A receipt about the use of one certificate."""
    return simulator.receipt(name, "0", "", simulator.use(name, says, number, AT))


def recorded(session: Session) -> list[tuple[Usage, str]]:
    rows = session.execute(select(CertificateUse.usage, CertificateUse.reference).order_by(CertificateUse.id))
    return [(row.usage, row.reference) for row in rows]


def use_up(session: Session) -> None:
    """核注, then 核销, of the one certificate."""
    name = session.scalars(select(CustomsMessage.message_id)).one()
    for says in (Reply.NOTED, Reply.USED_UP):
        (line,) = inbox.store_and_process(session, "r.xml", used(name, says), PACE)
        assert NUMBER in line


def test_a_use_is_recorded_once_notified_and_leaves_the_status(
    app: Flask, make_application: MakeApplication, system_session: SystemSession, stored_rows: StoredRows
) -> None:
    """Twice received, once recorded, in the trail and in a message to the applicant."""
    key = make_application(status="customs_received")
    for _twice in range(2):
        with system_session() as session:
            use_up(session) if not recorded(session) else None
            name = session.scalars(select(CustomsMessage.message_id)).one()
            again = used(name) + b"\n"  # another receipt that says the same
            envelope_schema().assertValid(etree.fromstring(again))
            assert all("此前已登记" in line for line in inbox.store_and_process(session, "r.xml", again, PACE))
            assert recorded(session) == [(Usage.NOTED, NUMBER), (Usage.USED_UP, NUMBER)]
    rows = stored_rows(key)
    assert rows["application"][0]["status"] == "customs_received"
    words = f"{NUMBER} 2026-11-20 16:30"
    assert [(row["act"], row["opinion"]) for row in rows["trail_entry"][-2:]] == [
        ("use_noted", words),
        ("written_off", words),
    ]
    assert notified(app, key)[-2:] == [("publisher", "use_noted"), ("publisher", "written_off")]


@pytest.mark.parametrize("order", list(permutations((Reply.ACCEPTED, Reply.NOTED, Reply.USED_UP))))
def test_receipts_are_accepted_in_any_order(
    make_application: MakeApplication, system_session: SystemSession, order: tuple[Reply, ...]
) -> None:
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
        for says in order:
            raw = receipt_for(name) if says is Reply.ACCEPTED else used(name, says)
            inbox.store_and_process(session, "r.xml", raw, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]
        assert {usage for usage, _number in recorded(session)} == set(Usage)


def test_a_use_that_cannot_be_assigned_is_stored_for_manual_review(
    make_application: MakeApplication, system_session: SystemSession
) -> None:
    make_application(status="customs_received")
    with system_session() as session:
        name = session.scalars(select(CustomsMessage.message_id)).one()
        whole = used(name)
        for raw in (
            used("Z3220260099995-1"),
            whole.replace(b"<Reference>" + NUMBER.encode() + b"</Reference>", b""),
            whole.replace(b"2026-11-20T", b"2026-11-31T"),
            whole.replace(NUMBER.encode(), b"9" * 65),
        ):
            inbox.store_and_process(session, "r.xml", raw, PACE)
        assert recorded(session) == []
        assert list(session.scalars(select(CustomsReceipt.strange).order_by(CustomsReceipt.id)))[-4:] == [True] * 4


def test_the_use_of_a_revoked_certificate_is_reported_to_the_province(
    app: Flask, make_application: MakeApplication, system_session: SystemSession
) -> None:
    key = make_application(status="customs_received")
    perform_step(app, Action.REVOKE, key, "publisher")
    with system_session() as session:
        name = session.scalars(select(CustomsMessage.message_id).order_by(CustomsMessage.id)).first()
        inbox.store_and_process(session, "r.xml", used(str(name)), PACE)
        assert statuses(session) == [Status.REVOKED]
    assert notified(app, key)[-2:] == [("publisher", "written_off"), ("reviewer", "revoked_used")]


def test_verification_page_details_register_and_export_show_a_use(
    app: Flask, make_application: MakeApplication, system_session: SystemSession, client_as: ClientAs
) -> None:
    """In 查验, the details, the register and its export; verification by number alone does not show it."""
    key = make_application(status="customs_received")
    with system_session() as session:
        use_up(session)
        certificate = session.scalars(select(Certificate)).one()
        found = verdict.of_typed(certificate.number, certificate.check_code)
        by_number = verdict.of_number(certificate.number)
    whole = f"已核注 2026年11月20日（{NUMBER}）；已核销 2026年11月20日（{NUMBER}）"
    assert (found.word, found.sentence) == ("valid", "这份备案证明目前有效。海关已核销（2026年11月20日）。")
    assert found.facts["核销情况"] == whole
    assert "核销" not in by_number.sentence
    for who, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
        assert whole in client_as(who).get(f"/{screen}/details/?id={key}").text
    assert "已核销" in client_as("national").get("/register/").text
    assert whole in client_as("national").get("/register/export/csv/").text


def test_a_changed_use_record_is_detected(
    app: Flask, make_application: MakeApplication, system_session: SystemSession
) -> None:
    """Append-only; with the triggers gone, `trail verify` names its certificate."""
    make_application(status="customs_received")
    with system_session() as session:
        use_up(session)
        assert [*unrecorded_uses(session), *contents.contradictions(session)] == []
        session.commit()
    changed = text("UPDATE certificate_use SET reference = 'x' WHERE usage = 'noted'")
    with system_session(), engine_of_owner(app).connect() as connection:
        with pytest.raises(Exception, match="不能直接改动"):
            connection.execute(changed)
        connection.rollback()
        with without_triggers(connection):
            connection.execute(changed)
        connection.commit()
    with system_session() as session, access.everything() as fresh:
        assert session is not fresh
        assert len(list(unrecorded_uses(fresh))) == 1
