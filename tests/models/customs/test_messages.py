"""The outbox (lease, order, retries, rate limit) and the content of a message."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock, customs
from models.acts import filing
from models.application import Application
from models.customs import CustomsLetter, CustomsMessage, outbox, reconciliation
from models.customs.health import health
from models.customs.outbox import Pace
from models.database import db
from models.vocabulary import Action
from models.workflow import Refused
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.models.acts.at_once import at_once
from tests.models.conftest import SystemSession
from views.resources import office

PACE = Pace()
LEASE = timedelta(seconds=PACE.lease + 1)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """`wait(timedelta(…))`: move the clock forward by this much from the real time."""
    really = clock.now
    return lambda by: monkeypatch.setattr(clock, "now", lambda: really() + by)


def claimed(session: Session) -> str | None:
    """Claim the next message; its id, or None."""
    message = outbox.claim(session, PACE)
    return message and message.message_id


class TestOutbox:
    def test_an_act_that_is_rolled_back_leaves_no_message(
        self, make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows, system_session: SystemSession
    ) -> None:
        """RC6: the message is written in the transaction of the act."""
        key = make_application(status="pending")
        with act_as("reviewer") as by:
            filing.perform(db.session(), Action.GRANT, db.session.get_one(Application, key), by, office=office())
            assert db.session.scalars(select(CustomsMessage)).one().act is Action.GRANT
            db.session.rollback()
        assert stored_rows(key)["customs_message"] == []
        with system_session() as session:
            assert outbox.claim(session, PACE) is None

    def test_a_claimed_message_is_reserved_until_its_lease_ends(
        self, make_application: MakeApplication, system_session: SystemSession, wait: Callable[[timedelta], None]
    ) -> None:
        """CU4, CU13: after a crash another worker takes over, and the attempt was counted."""
        make_application(status="filed")
        with system_session() as session, system_session() as other:
            first = claimed(session)
            assert first is not None
            assert claimed(other) is None
            wait(LEASE)
            assert claimed(other) == first
            assert other.scalars(select(CustomsMessage.attempts)).one() == 2

    def test_a_message_queued_with_a_future_time_is_sent_now(
        self, make_application: MakeApplication, system_session: SystemSession, wait: Callable[[timedelta], None]
    ) -> None:
        """It does not wait for that moment; after an attempt its pause and lease apply, and /healthz reports it."""
        wait(timedelta(hours=5))
        make_application(status="filed")
        wait(timedelta())
        with system_session() as session:
            assert health(session, PACE).overdue == 1
            message = outbox.claim(session, PACE)
            assert message is not None
            assert claimed(session) is None
            outbox.end_attempt(session, message.id, message.attempts, "没有应答", PACE)
            assert claimed(session) is None
            wait(timedelta(minutes=1))
            assert claimed(session) is not None

    @pytest.mark.slow
    def test_attempts_with_a_future_time_delay_no_message(
        self, make_application: MakeApplication, system_session: SystemSession, wait: Callable[[timedelta], None]
    ) -> None:
        """Their lease, pause and share of the rate limit do not count."""
        make_application(status="filed")
        with system_session() as session:
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
    def test_parallel_deliverers_claim_each_message_once(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """RC8: no message twice, none left out."""
        names = {make_application(status="filed") for _ in range(8)}

        def work() -> list[int]:
            with system_session() as session:
                return [message.application_id for message in iter(lambda: outbox.claim(session, PACE), None)]

        shares = at_once(*[work] * 4)
        assert sorted(key for share in shares for key in share) == sorted(names)  # type: ignore[attr-defined]

    def test_a_revocation_waits_for_the_grant_and_no_other_certificate_does(
        self, make_application: MakeApplication, stored_rows: StoredRows, system_session: SystemSession
    ) -> None:
        """Messages of one certificate are sent in their order."""
        revoked, filed = make_application(status="revoked"), make_application(status="filed")
        grant, revocation = (row["message_id"] for row in stored_rows(revoked)["customs_message"])
        (other,) = (row["message_id"] for row in stored_rows(filed)["customs_message"])
        with system_session() as session:
            assert [claimed(session) for _ in range(3)] == [grant, other, None]
            assert customs.record_answer(session, True, "0000", CustomsMessage.message_id == grant)
            session.commit()
            assert claimed(session) == revocation

    @pytest.mark.slow
    def test_pauses_grow_vary_and_end_at_an_hour(
        self, make_application: MakeApplication, system_session: SystemSession, wait: Callable[[timedelta], None]
    ) -> None:
        """CU14: exponential back-off with jitter."""
        make_application(status="filed")
        pauses, later = [], timedelta()
        with system_session() as session:
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
    def test_parallel_deliverers_share_one_rate_limit(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """The E-port accepts fewer than 100 a minute from all workers together: they share one count."""
        for _ in range(9):
            make_application(status="filed")

        def work() -> int:
            with system_session() as session:
                return len(list(iter(lambda: outbox.claim(session, Pace(per_minute=4)), None)))

        assert sum(at_once(*[work] * 6)) == 4  # type: ignore[arg-type]

    def test_every_attempt_is_recorded_also_of_deliverers_that_died(
        self, make_application: MakeApplication, system_session: SystemSession, wait: Callable[[timedelta], None]
    ) -> None:
        """CU14: one row per attempt, numbered without a restart; its bytes are never overwritten."""
        make_application(status="filed")
        with system_session() as session:
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
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """Set aside, released, claimed by another worker: the expired claim is not confused with the current one."""
        make_application(status="filed")
        with system_session() as session:
            late = outbox.claim(session, Pace(lease=0))
            assert late is not None
            key, turn = late.id, late.attempts
            other = outbox.claim(session, PACE)
            assert other is not None
            outbox.end_attempt(session, key, other.attempts, "报文无法写成。", Pace(tries=1), fault=True)
            assert outbox.release(session, late)
            message = outbox.claim(session, PACE)
            assert message is not None
            until = message.claimed_until
            outbox.end_attempt(session, key, turn, "迟到", PACE, sent=False)
            session.refresh(message)
            assert (message.claimed_until, message.sent_in) == (until, 1)

    def test_a_deliverer_whose_claim_expired_postpones_nothing(
        self, make_application: MakeApplication, system_session: SystemSession, wait: Callable[[timedelta], None]
    ) -> None:
        """Another worker holds the lease; the late one must change nothing."""
        make_application(status="filed")
        with system_session() as session:
            outbox.claim(session, PACE)
            wait(LEASE)
            second = outbox.claim(session, PACE)
            assert second is not None
            until = second.claimed_until
            outbox.end_attempt(session, second.id, 1, "迟到", PACE)
            assert (second.claimed_until, second.answer) == (until, None)

    def test_an_answer_is_noted_once(self, make_application: MakeApplication, system_session: SystemSession) -> None:
        """CU7: a second answer changes nothing."""
        make_application(status="filed")
        with system_session() as session:
            assert customs.record_answer(session, False, "2001 退单")
            assert not customs.record_answer(session, True, "0000 已接收")
            message = session.scalars(select(CustomsMessage)).one()
            assert (message.accepted, message.answer) == (False, "2001 退单")
            session.commit()
            assert claimed(session) is None

    def test_a_receipt_by_another_transport_closes_the_message(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """A message that customs has answered is not sent."""
        make_application(status="customs_received")
        with system_session() as session:
            assert claimed(session) is None
            message = session.scalars(select(CustomsMessage)).one()
            assert (message.accepted, message.answer) == (True, "回执说明")
            assert reconciliation.ledger(session) == {}  # it was never sent by us

    def test_an_unexpected_receipt_closes_no_message(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """A refused act changes nothing."""
        key = make_application(status="revoked")
        with system_session() as session:
            with pytest.raises(Refused, match="当前状态为「已作废」，不接受海关回执"):
                filing.record_customs_reply(session, session.get_one(Application, key), True)
            assert claimed(session) is not None
