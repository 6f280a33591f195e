"""Receipts of customs, and the messages that they are about."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application
from models.customs import outbox
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt
from models.vocabulary import Reply, Status
from views.demo import simulator

PACE = Pace()


WORDS = "已接收：𠮷祥"


def receipt_for(name: str, reply: Reply = Reply.ACCEPTED, code: str = "0000", words: str = WORDS) -> bytes:
    """A business receipt about one message."""
    return simulator.receipt(name, "0", "", simulator.result(name, reply, code, words))


def batch(*content: tuple[str, Reply], count: int = 0) -> bytes:
    """A receipt with several results."""
    results = (simulator.result(name, reply, "0000", WORDS) for name, reply in content)
    return simulator.receipt("-", "0", "", *results, count=count)


def sent(session: Session) -> list[str]:
    """Claim every message, which marks it as sent; their ids."""
    return [message.message_id for message in iter(lambda: outbox.claim(session, PACE), None)]


def statuses(session: Session) -> list[Status]:
    """The status of every application, oldest first."""
    return list(session.scalars(select(Application.status).order_by(Application.id)))


def stored_bytes(session: Session) -> list[bytes]:
    """The bytes of every stored receipt."""
    return list(session.scalars(select(CustomsReceipt.raw).order_by(CustomsReceipt.id)))


def unread(session: Session) -> list[int]:
    """Ids of the receipts that are not completely processed, whether or not they pause after a failure."""
    return list(session.scalars(select(CustomsReceipt.id).where(CustomsReceipt.read_at.is_(None))))
