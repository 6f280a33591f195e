"""The way in: what a receipt says is noted once, on the message and on the application, whatever else is beside it."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import clock, customs
from models.acts import filing
from models.application import locking
from models.customs import CustomsMessage, CustomsNote, outbox, receipt
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt, Result
from models.vocabulary import Reply
from models.workflow import Refused

TURNS = 3  # people act on the application meanwhile: so often is a note tried before it waits for the next round


def take(session: Session, name: str, raw: bytes, pace: Pace, reply_to: str = "") -> list[str]:
    """Keep `raw` as received, then note all it says; the same bytes again are dropped. Commits. A line each."""
    row = receipt.store(session, name, raw, reply_to)
    return read(session, row.id, pace) if row.read_at is None else []


def unread(session: Session) -> list[int]:
    """Receipts that were kept, and not yet noted whole: their reader died, or is at it now."""
    found = list(session.scalars(select(CustomsReceipt.id).where(CustomsReceipt.read_at.is_(None))))
    session.commit()
    return found


def read(session: Session, key: int, pace: Pace) -> list[str]:
    """Note what a kept receipt says, item by item: one that cannot be noted stops no other (CU5, CU7, CU8).

    However many read it, and wherever one of them dies, each item is noted once.
    """
    row = session.get_one(CustomsReceipt, key)
    told, odd = receipt.interpret(row.name, row.raw)
    lines, left = list(odd), False
    for place, result in enumerate(told):
        try:
            line, known = _noted(session, key, place, result, pace)
        except locking.Conflict:
            line, known, left = f"{result.message_id}：{_('申请正在办理，回执稍后登记。')}", True, True
        lines.append(line)
        odd += [] if known else [line]
    if not left:  # else the next round notes what is left
        row = session.get_one(CustomsReceipt, key)
        row.read_at, row.verdict, row.strange = clock.now(), "\n".join(odd), bool(odd)
        session.commit()
    return lines


def _noted(session: Session, key: int, place: int, result: Result, pace: Pace) -> tuple[str, bool]:
    """(what was made of it, whether the message is ours); committed, the change and its note together."""
    for time in range(TURNS):
        message = session.scalar(select(CustomsMessage).where(CustomsMessage.message_id == result.message_id))
        if message is None:
            return _("%(name)s：我方没有这份报文，已原样留存。", name=result.message_id[:64]), False
        this = (CustomsNote.receipt_id == key, CustomsNote.place == place)
        words = session.scalar(select(CustomsNote.words).where(*this))
        try:
            if words is None:
                words = f"{result.says.label} {result.words}".rstrip()
                if not _obeyed(session, message, result, pace):
                    words += _contradiction(message, result) or _("（此前已登记，或所指并非当前发送，不再变动）")
                customs.note(session, message, words, key, place, result.part)
            session.commit()
            return f"{result.message_id}：{words}", True
        except (locking.Conflict, IntegrityError):  # a person acted, or another reader noted it, in between: look again
            session.rollback()
            if time + 1 == TURNS:
                raise
    raise AssertionError


def _contradiction(message: CustomsMessage, result: Result) -> str:
    """What is said beside a receipt that comes after its message was settled by hand, and says the opposite."""
    final = {Reply.ACCEPTED: True, Reply.REJECTED: False}.get(result.says)
    if not message.by_hand or final in (None, message.accepted):
        return ""
    return _("（与此前人工登记的结果不符，状态没有变动，请向海关核实）")


def _obeyed(session: Session, message: CustomsMessage, result: Result, pace: Pace) -> bool:
    """Do what a result says; False when it says nothing new."""
    why = f"{result.says.label}。{result.words}".strip()
    match result.says:
        case Reply.ACCEPTED | Reply.REJECTED:
            return _answered(session, message, result.says is Reply.ACCEPTED, result.words)
        case Reply.UNKNOWN:
            return outbox.requeue(session, message.id, result.asked_in, why, pace)
        case Reply.FAULT:
            return outbox.count_failure(session, message.id, why, pace)
    return outbox.mark_forwarded(session, message.id, why)


def _answered(session: Session, message: CustomsMessage, accepted: bool, words: str) -> bool:
    """What customs answered: on the message, and on the application if its status waits for it."""
    if not customs.settle(session, accepted, customs.said(words), CustomsMessage.id == message.id):
        return False
    try:
        filing.customs_replied(session, message.application, accepted, customs.said(words))
    except locking.Conflict:
        raise
    except Refused:
        pass  # revoked, or revoking: the answer is kept, the status stays
    return True
