"""A receipt that cannot be processed is retried ever more rarely, and shown in 运行状态."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from models import access, clock
from models.customs import receipt
from models.customs.receipt import CustomsReceipt
from models.exchange import inbox
from models.vocabulary import Status
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.models.customs.made_receipts import PACE, receipt_for, sent, statuses
from tests.views.screens.test_condition import condition_lines

DAMAGE = text("UPDATE customs_message SET act = :act")


def test_a_failing_receipt_backs_off_and_is_reported_until_it_is_processed(
    app: Flask, make_application: MakeApplication, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_application(status="filed")
    pauses: list[float] = []
    with app.app_context(), access.everything() as session:
        (name,) = sent(session)
        session.execute(DAMAGE, {"act": "unknown"})
        session.commit()
        inbox.store_and_process(session, "a.xml", receipt_for(name), PACE)
        for failures in range(1, 6):
            row = session.scalars(select(CustomsReceipt)).one()
            assert (row.failures, row.failure) == (failures, "回执未能登记，稍后再试。ValueError")
            assert bool(receipt.failing(session)) is (failures >= receipt.FAILING)
            assert row.next_at is not None
            assert receipt.unread(session, PACE.longest) == [], "not every second"
            pauses.append((row.next_at - clock.now()).total_seconds())
            moment = row.next_at + timedelta(seconds=1)
            monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
            (key,) = receipt.unread(session, PACE.longest)
            inbox.process(session, key, PACE)
    assert pauses[-1] > 8 * pauses[0]
    words = client_as(None).get("/healthz?details").text.splitlines()
    assert "receipts" in words and "receipts that cannot be processed: 1" in words
    state, now, to_do = condition_lines(client_as("operator"))["海关回执"]
    assert (state, now) == ("须处理", "第 1 号登记失败 6 次：回执未能登记，稍后再试。ValueError")
    assert "投递进程的日志" in to_do and name not in now
    with app.app_context(), access.everything() as session:
        session.execute(DAMAGE, {"act": "grant"})
        session.commit()
        inbox.process(session, 1, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED]
    assert "receipts" not in client_as(None).get("/healthz?details").text
    assert "海关回执" not in condition_lines(client_as("operator"))


def test_a_receipt_whose_reading_fails_backs_off_too(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault outside its results: it must not be retried each second, nor stop the round."""
    make_application(status="filed")
    with app.app_context(), access.everything() as session:
        (name,) = sent(session)
        row = receipt.store(session, "a.xml", receipt_for(name))
        monkeypatch.setattr(inbox, "_left_for_later", lambda *_given: 1 / 0)
        assert inbox.process(session, row.id, PACE) == ["回执未能登记，稍后再试。ZeroDivisionError"]
        assert receipt.unread(session, PACE.longest) == []
