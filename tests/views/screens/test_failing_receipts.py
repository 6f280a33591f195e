"""A receipt that cannot be processed is retried ever more rarely, and shown in 运行状态."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from models import access, clock
from models.application import locking
from models.customs import CustomsMessage, receipt
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt, Result
from models.exchange import inbox
from models.vocabulary import Reply, Status
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.models.customs.made_receipts import PACE, batch, receipt_for, sent, statuses
from tests.views.screens.test_condition import condition_lines

DAMAGE = text("UPDATE customs_message SET act = :act")
DAMAGE_OF_ONE = text("UPDATE customs_message SET act = 'unknown' WHERE message_id = :name")


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
            assert receipt.any_failing(session) is (failures >= receipt.FAILING)
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


def test_a_busy_application_is_tried_soon_although_another_result_fails(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its act takes seconds; the result that fails would let it wait for an hour."""
    for _ in range(2):
        make_application(status="filed")
    with app.app_context(), access.everything() as session:
        damaged, busy = sent(session)
        session.execute(DAMAGE_OF_ONE, {"name": damaged})
        row = receipt.store(session, "a.xml", batch((damaged, Reply.ACCEPTED), (busy, Reply.ACCEPTED)))
        row.failures = 12
        session.commit()
        apply = inbox._apply

        def apply_unless_busy(session: Session, message: CustomsMessage, result: Result, pace: Pace) -> bool:
            if message.message_id == busy:
                raise locking.Conflict("")
            return apply(session, message, result, pace)

        monkeypatch.setattr(inbox, "_apply", apply_unless_busy)
        inbox.process(session, row.id, PACE)
        assert row.next_at is not None
        assert row.next_at < clock.now() + timedelta(seconds=2 * PACE.pause)
        monkeypatch.undo()
        inbox.process(session, row.id, PACE)
        assert statuses(session) == [Status.FILED, Status.CUSTOMS_RECEIVED]
        assert (row.failures, row.read_at) == (14, None)
        assert row.next_at > clock.now() + timedelta(seconds=PACE.longest / 2), "only the damaged one is left"


def test_more_failing_results_than_a_round_takes_do_not_stop_those_after_them(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round goes on after them; once all were tried, the pause grows."""
    monkeypatch.setattr(inbox, "MOST_A_ROUND", 2)
    for _ in range(5):
        make_application(status="filed")
    with app.app_context(), access.everything() as session:
        names = sent(session)
        for name in names[:3]:
            session.execute(DAMAGE_OF_ONE, {"name": name})
        row = receipt.store(session, "a.xml", batch(*((name, Reply.ACCEPTED) for name in names)))
        session.commit()
        seen = []
        for _round in range(9):
            inbox.process(session, row.id, PACE)
            pause = (row.next_at - clock.now()).total_seconds() if row.next_at else 0
            seen.append((statuses(session).count(Status.CUSTOMS_RECEIVED), row.failures, pause > 2 * PACE.pause))
        assert seen[:3] == [(0, 1, False), (1, 2, False), (2, 2, False)]
        assert [failures for _received, failures, _long in seen] == [1, 2, 2, 3, 4, 5, 6, 7, 8]
        assert [long for *_others, long in seen[3:]] == [False, True] * 3, "long once all that are left were tried"
        assert receipt.any_failing(session)
        session.execute(DAMAGE, {"act": "grant"})
        session.commit()
        for _round in range(2):
            inbox.process(session, row.id, PACE)
        assert set(statuses(session)) == {Status.CUSTOMS_RECEIVED}
        assert not receipt.any_failing(session)


def test_of_many_failing_receipts_the_pages_read_only_those_they_name(app: Flask, client_as: ClientAs) -> None:
    with app.app_context(), access.everything() as session:
        for n in range(25):
            receipt.store(session, f"{n}.xml", receipt_for(f"Z992026000{n:04}-3"))
        session.execute(update(CustomsReceipt).values(failures=receipt.FAILING, failure="ValueError"))
        session.commit()
        assert len(receipt.failing(session, 7)) == 7
    numbers = " ".join(str(n) for n in range(1, 21))
    assert f"receipts that cannot be processed: {numbers}" in client_as(None).get("/healthz?details").text.splitlines()
    assert condition_lines(client_as("operator"))["海关回执"][1].count("登记失败") == 5
