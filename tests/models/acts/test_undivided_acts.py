"""An act is atomic, and its results are immutable."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session

from models import access
from models.acts import filing
from models.application import Application
from models.certificate import Certificate, frozen
from models.database import db
from models.database.triggers import SENTENCE
from models.numbering import Serial
from models.people.accounts import Account
from models.vocabulary import Action, Status
from models.workflow import Refused
from tests.conftest import ActAs, MakeApplication, StoredRows
from views.resources import office

REFUSED = f"{SENTENCE}|permission denied"  # by the trigger; under row-level security no role has the privilege at all


@contextmanager
def failing_at(session: Session, number: int) -> Iterator[None]:
    """The `number`th statement from now on fails, as if the database had gone; the commit counts as one."""
    count = 0

    def fail(*_args: Any, **_more: Any) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise ConnectionError("the database is gone")

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", fail)
    event.listen(engine, "commit", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)
        event.remove(engine, "commit", fail)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "action", "who"),
    [("draft", "submit", "publisher"), ("pending", "grant", "reviewer"), ("filed", "revoke", "reviewer")],
)
def test_an_act_that_fails_at_any_statement_changes_nothing(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, status: str, action: str, who: str
) -> None:
    """ST5, RC6: the failure is put at the first statement, the second, … until the act gets through."""
    key = make_application(status=status)
    before = stored_rows(key)
    for number in range(1, 60):
        with app.app_context(), access.everything() as session:
            account = session.scalars(select(Account).filter_by(username=who)).one()
            application = session.get_one(Application, key)
            serials = session.scalars(select(Serial.last)).all()
            try:
                with failing_at(session, number):
                    filing.perform(session, Action(action), application, account, "理由", office=office())
                    session.commit()
                break
            except (ConnectionError, StatementError):  # the latter where a key is fetched before its row
                session.rollback()
            assert session.scalars(select(Serial.last)).all() == serials
        assert stored_rows(key) == before
    assert 5 < number < 59
    assert stored_rows(key)["trail_entry"][-1]["act"] == action


def test_a_rolled_back_grant_leaves_no_certificate_trail_entry_or_message(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """RC6: certificate, trail and outbox live in the transaction of the act."""
    key = make_application(status="pending")
    before = stored_rows(key)
    with act_as("reviewer") as reviewer:
        application = db.session.get_one(Application, key)
        filing.perform(db.session(), Action.GRANT, application, reviewer, office=office())
        assert application.certificate is not None
        db.session.rollback()
    assert stored_rows(key) == before


def test_a_grant_freezes_names_and_values_as_printed(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application(status="filed", carriers=2)
    with act_as("publisher"):
        application = db.session.get_one(Application, key)
        certificate = application.certificate
        assert certificate is not None
        assert certificate.snapshot == frozen(application)
        assert certificate.snapshot["title"] == "黑胶唱片《茉莉花》"
        assert certificate.snapshot["port"] == "2201-浦江海关"
        assert certificate.snapshot["category"] == "音像制品"
        assert [row["quantity"] for row in certificate.snapshot["carriers"]] == ["1000", "1001"]
        assert (certificate.authority, certificate.signer) == ("江苏省新闻出版局", "陈静")


@pytest.mark.parametrize("change", ["number", "content", "signer"])
def test_an_issued_certificate_never_changes(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows, change: str
) -> None:
    """Design 2.7, AD8: a mistake means revoke, and apply again."""
    key = make_application(status="filed")
    before = stored_rows(key)
    with act_as("reviewer"):
        certificate = db.session.scalars(select(Certificate)).one()
        setattr(certificate, change, "另一个")
        with pytest.raises(DBAPIError, match=REFUSED):
            db.session.commit()
        db.session.rollback()
        db.session.delete(certificate)
        with pytest.raises(DBAPIError, match=REFUSED):
            db.session.commit()
    assert stored_rows(key) == before


def test_every_grant_resend_and_revocation_queues_one_customs_message(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """CU12: one message an act, each with a name of its own."""
    key = make_application(status="customs_failed")
    for action in (Action.RESEND, Action.REVOKE):
        with act_as("reviewer") as reviewer:
            filing.perform(db.session(), action, db.session.get_one(Application, key), reviewer, "数据有误")
            db.session.commit()
    messages = stored_rows(key)["customs_message"]
    assert [message["act"] for message in messages] == [Action.GRANT, Action.RESEND, Action.REVOKE]
    assert len({message["message_id"] for message in messages}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("status", [status for status in Status if status is not Status.FILED])
def test_a_receipt_for_anything_but_a_filed_application_is_refused(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, status: Status
) -> None:
    """CU7: a receipt that comes twice, or too late, changes nothing."""
    key = make_application(status=status)
    before = stored_rows(key)
    with app.app_context(), access.everything() as session:
        for accepted in (True, False):
            with pytest.raises(Refused, match=f"当前状态为「{status.label}」，不接受海关回执"):
                filing.record_customs_reply(session, session.get_one(Application, key), accepted)
            session.commit()
    assert stored_rows(key) == before


def test_a_print_is_recorded_and_makes_no_open_form_stale(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """手册 第二章·打印: a look, not a change."""
    key = make_application(status="filed")
    before = stored_rows(key)
    for username in ("publisher", "reviewer", "national"):
        with act_as(username) as account:
            filing.perform(db.session(), Action.PRINT, db.session.get_one(Application, key), account)
            db.session.commit()
    after = stored_rows(key)
    assert [entry["act"] for entry in after["trail_entry"]][-3:] == ["print"] * 3
    assert after["application"][0]["version"] == before["application"][0]["version"]
    assert after["customs_message"] == before["customs_message"]
