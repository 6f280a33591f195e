"""Which message a receipt speaks of, and that it is applied once."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from models.application import Application
from models.application.trail import TrailEntry
from models.customs import CustomsMessage, CustomsNote, outbox, receipt
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt
from models.exchange import inbox
from models.vocabulary import Delivery, Reply, Status
from tests.conftest import MakeApplication
from tests.models.acts.at_once import at_once
from tests.models.conftest import SystemSession
from tests.models.customs.made_receipts import PACE, WORDS, batch, receipt_for, sent, statuses, stored_bytes, unread
from views.demo import simulator


def answer(name: str, attempt: int, reply: Reply = Reply.UNKNOWN) -> bytes:
    """The receipt for the status query of this attempt."""
    return simulator.receipt(f"{name}-Q{attempt}", "0", "", simulator.result(name, reply, "", ""))


def test_a_batch_is_noted_item_by_item(make_application: MakeApplication, system_session: SystemSession) -> None:
    """CU5, CU7, CU8: unknown, doubled, contradicting, wrongly counted and out of order: its valid results count."""
    for _ in range(3):
        make_application(status="filed")
    with system_session() as session:
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


def test_a_result_that_cannot_be_applied_does_not_stop_those_after_it(
    make_application: MakeApplication, system_session: SystemSession
) -> None:
    """CU5: the row of its message is damaged. The receipt stays unread, so that the result is tried again."""
    for _ in range(3):
        make_application(status="filed")
    with system_session() as session:
        names = sent(session)
        damage = text("UPDATE customs_message SET act = :act WHERE message_id = :name")
        session.execute(damage, {"act": "unknown", "name": names[1]})
        session.commit()
        lines = inbox.store_and_process(session, "batch.xml", batch(*((name, Reply.ACCEPTED) for name in names)), PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED, Status.FILED, Status.CUSTOMS_RECEIVED]
        assert lines[1] == f"{names[1]}：回执未能登记，稍后再试。ValueError"
        session.execute(damage, {"act": "grant", "name": names[1]})
        session.commit()
        (left,) = unread(session)
        inbox.process(session, left, PACE)
        assert set(statuses(session)) == {Status.CUSTOMS_RECEIVED}
        assert unread(session) == []


@pytest.mark.slow
def test_a_long_receipt_is_processed_over_several_rounds(
    make_application: MakeApplication, system_session: SystemSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that sending goes on; results of unknown messages do not count. Lines for the log are cut."""
    monkeypatch.setattr(inbox, "MOST_A_ROUND", 2)
    monkeypatch.setattr(inbox, "AT_ONCE", 2)
    for _ in range(3):
        make_application(status="filed")
    with system_session() as session:
        unknown = [(f"Z992026000001{n}-3", Reply.ACCEPTED) for n in range(3)]
        content = batch(*unknown, *((name, Reply.ACCEPTED) for name in sent(session)))
        content = content.replace(WORDS.encode(), b"long " * 90)
        lines = inbox.store_and_process(session, "batch.xml", content, PACE)
        assert statuses(session) == [Status.CUSTOMS_RECEIVED, Status.CUSTOMS_RECEIVED, Status.FILED]
        assert max(map(len, lines)) < 250
        (left,) = unread(session)
        assert len(inbox.process(session, left, PACE)) == 6
        assert set(statuses(session)) == {Status.CUSTOMS_RECEIVED}
        assert unread(session) == []
        assert len(session.scalars(select(CustomsNote.id)).all()) == 3


def test_the_same_receipt_twice_is_dropped(make_application: MakeApplication, system_session: SystemSession) -> None:
    """CU7, CU12: no second row, no second trail entry, no second note."""
    make_application(status="filed")
    with system_session() as session:
        (name,) = sent(session)
        received = receipt_for(name)
        assert inbox.store_and_process(session, "a.xml", received, PACE)
        assert inbox.store_and_process(session, "b.xml", received, PACE) == []
        assert stored_bytes(session) == [received]
        assert len(session.scalars(select(Application)).one().trail) == 9


def test_no_later_receipt_changes_a_decision_of_customs(
    make_application: MakeApplication, system_session: SystemSession
) -> None:
    """customs_received is final; late transport receipts, answers to queries and contradictions are only noted."""
    make_application(status="filed")
    with system_session() as session:
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
    """An answer belongs to its own query or message, also if another one was sent later."""

    @pytest.fixture
    def queried_message(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> Iterator[tuple[Session, str]]:
        """(session, id) of a message sent in attempt 1 and queried in attempt 2; its deliverer died both times."""
        make_application(status="filed")
        haste = Pace(lease=0)
        with system_session() as session:
            name = outbox.claim(session, haste).message_id  # type: ignore[union-attr]
            outbox.claim(session, haste)
            yield session, name

    def test_a_failed_query_is_followed_by_another_query(self, queried_message: tuple[Session, str]) -> None:
        """The letter may have arrived: it is not sent again until customs reports that it has not."""
        session, name = queried_message
        for fault in (simulator.receipt(f"{name}-Q2", "-1201002", "签名"), simulator.receipt(name, "-1201001", "格式")):
            inbox.store_and_process(session, "a.xml", fault, PACE)
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.must_query, again.sent_in, again.faults) == (True, 1, 2)

    def test_a_message_that_customs_has_not_received_is_sent_again(self, queried_message: tuple[Session, str]) -> None:
        session, name = queried_message
        inbox.store_and_process(session, "a.xml", answer(name, 2), PACE)
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.must_query, again.sent_in) == (False, 3)

    def test_an_answer_to_a_query_before_the_resend_is_ignored(self, queried_message: tuple[Session, str]) -> None:
        """Queried in attempt 2, resent in 3, then a second answer to 2 arrives: 3 may have been delivered."""
        session, name = queried_message
        inbox.store_and_process(session, "a.xml", answer(name, 2), PACE)
        outbox.claim(session, Pace(lease=0))
        for late in (answer(name, 2) + b"\n", receipt_for(name, Reply.UNKNOWN, "", "")):
            assert "所指并非当前发送" in inbox.store_and_process(session, "b.xml", late, PACE)[0]
        again = outbox.claim(session, PACE)
        assert again is not None
        assert (again.must_query, again.sent_in) == (True, 3)

    def test_a_release_does_not_reset_the_attempt_number(self, queried_message: tuple[Session, str]) -> None:
        """Otherwise an answer to query 2 before the release would count as an answer to query 2 after it."""
        session, name = queried_message
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

    def test_an_answer_does_not_end_the_claim_of_another_deliverer(self, queried_message: tuple[Session, str]) -> None:
        """That deliverer may be sending now: nobody else may claim the message until its lease ends."""
        session, name = queried_message
        claimed = outbox.claim(session, PACE)
        assert claimed is not None
        until = claimed.claimed_until
        for content in (answer(name, 2), simulator.receipt(name, "-1201001", "格式"), simulator.receipt(name, "0", "")):
            inbox.store_and_process(session, "a.xml", content, PACE)
            assert session.scalars(select(CustomsMessage.claimed_until)).one() == until
            assert outbox.claim(session, PACE) is None

    def test_at_most_one_fault_is_counted_per_letter(self, queried_message: tuple[Session, str]) -> None:
        """The same fault reported by receipt and by FailBox counts once."""
        session, name = queried_message
        for n in range(5):
            inbox.store_and_process(session, "a.xml", simulator.receipt(name, "-1201001", f"{n}"), PACE)
        assert session.scalars(select(CustomsMessage.faults)).one() == 2


class TestOnce:
    def test_a_receipt_read_again_after_a_crash_is_noted_once(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """CU13: noted, but not yet marked as read; reading it again changes nothing and ends no claim."""
        make_application(status="filed")
        with system_session() as session:
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
            assert unread(session) == []

    @pytest.mark.slow
    def test_parallel_readers_of_a_receipt_note_each_item_once(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """RC8: one note an item, one trail entry an application, and every reader finishes."""
        for _ in range(6):
            make_application(status="filed")
        with system_session() as session:
            content = batch(*((name, Reply.REJECTED) for name in sent(session)))
            key = receipt.store(session, "a.xml", content).id

        def work() -> list[str]:
            with system_session() as session:
                return inbox.process(session, key, PACE)

        lines = at_once(*[work] * 4)
        assert [len(found) for found in lines] == [6] * 4  # type: ignore[arg-type]
        with system_session() as session:
            assert len(session.scalars(select(CustomsNote.id)).all()) == 6
            acts = session.scalars(select(TrailEntry.act)).all()
            assert acts.count("customs_rejected") == 6
            assert statuses(session) == [Status.CUSTOMS_FAILED] * 6
