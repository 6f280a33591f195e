"""搁置 by a person lasts until 放行, whatever customs and the transport report meanwhile."""

from sqlalchemy import select

from models.customs import CustomsMessage, outbox
from models.customs.outbox import Pace
from models.exchange import inbox
from models.vocabulary import Delivery, Reply
from tests.conftest import MakeApplication
from tests.models.conftest import SystemSession
from tests.models.customs.made_receipts import PACE
from views.demo import simulator

HASTE = Pace(lease=0)


def test_a_message_that_a_person_has_set_aside_waits_for_its_release(
    make_application: MakeApplication, system_session: SystemSession
) -> None:
    """Sent in attempt 1 and queried in attempt 2; then a transport failure, and «not received», arrive late."""
    make_application(status="filed")
    with system_session() as session:
        name = outbox.claim(session, HASTE).message_id  # type: ignore[union-attr]
        outbox.claim(session, HASTE)
        message = session.scalars(select(CustomsMessage)).one()
        assert outbox.set_aside(session, message)
        unknown = simulator.receipt(f"{name}-Q2", "0", "", simulator.result(name, Reply.UNKNOWN, "", ""))
        for content in (simulator.receipt(name, "-1201001", "格式"), unknown):
            inbox.store_and_process(session, "a.xml", content, PACE)
            session.refresh(message)
            assert message.state is Delivery.SET_ASIDE
            assert message.answer is not None and message.answer.endswith("已搁置，待放行。")
            assert outbox.claim(session, HASTE) is None
        assert outbox.release(session, message)
        assert outbox.claim(session, PACE) is not None
