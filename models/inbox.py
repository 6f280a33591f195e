"""The way in: what a receipt says is noted once, on the message and on the application, whatever else is beside it."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock, customs, filing, outbox, receipt
from models.customs import CustomsMessage
from models.outbox import Pace
from models.receipt import CustomsReceipt, Result
from models.vocabulary import Reply
from models.workflow import Refused

TURNS = 3  # people act on the application meanwhile: so often is a note tried before it waits for the next round


def take(session: Session, name: str, raw: bytes, pace: Pace, reply_to: str = "") -> list[str]:
    """Keep `raw` as received, then note all it says; the same bytes again are dropped. Commits. A line each."""
    row = receipt.kept(session, name, raw, reply_to)
    return read(session, row.id, pace) if row.read_at is None else []


def unread(session: Session) -> list[int]:
    """Receipts that were kept, and whose reader died before all was noted."""
    found = list(session.scalars(select(CustomsReceipt.id).where(CustomsReceipt.read_at.is_(None))))
    session.commit()
    return found


def read(session: Session, key: int, pace: Pace) -> list[str]:
    """Note what a kept receipt says, item by item: one that cannot be noted stops no other (CU5, CU7, CU8)."""
    try:
        told, lines = receipt.results(session.get_one(CustomsReceipt, key).raw)
    except receipt.Unreadable as why:
        told, lines = [], [_("%(why)s，已原样留存。", why=why)]
    strange, left = bool(lines), False
    for result in told:
        try:
            line, known = _noted(session, key, result, pace)
        except filing.Conflict as busy:
            line, known, left = str(busy), True, True
        lines.append(line)
        strange |= not known
    if not left:  # else the next round notes what is left; the rest is only found noted already
        row = session.get_one(CustomsReceipt, key)
        row.read_at, row.verdict, row.strange = clock.now(), "\n".join(lines), strange
        session.commit()
    return lines


def _noted(session: Session, key: int, result: Result, pace: Pace) -> tuple[str, bool]:
    """(what was made of it, whether the message is ours); committed."""
    for turn in range(TURNS):
        message = session.scalar(select(CustomsMessage).where(CustomsMessage.message_id == result.message_id))
        if message is None:
            return _("%(name)s：我方没有这份报文，已原样留存。", name=result.message_id[:64]), False
        try:
            line = f"{result.message_id}：{result.says.label} {result.words}".rstrip()
            if not _obeyed(session, message, result, pace):
                line += _("（此前已登记，不再变动）")
            customs.note(session, message, f"{result.says.label} {result.words}".rstrip(), key, result.part)
            session.commit()
            return line, True
        except filing.Conflict:  # somebody acted in between, and all is rolled back: look again
            if turn + 1 == TURNS:
                raise
    raise AssertionError


def _obeyed(session: Session, message: CustomsMessage, result: Result, pace: Pace) -> bool:
    """Do what a result says; False when it says nothing new."""
    match result.says:
        case Reply.ACCEPTED | Reply.REJECTED:
            return _answered(session, message, result.says is Reply.ACCEPTED, result.words)
        case Reply.UNKNOWN | Reply.FAULT:
            why = f"{result.says.label}。{result.words}".strip()
            return outbox.take_back(session, message, why, pace, at_once=result.says is Reply.UNKNOWN)
    return outbox.handed_on(session, message, f"{result.says.label}。{result.words}")


def _answered(session: Session, message: CustomsMessage, accepted: bool, words: str) -> bool:
    """What customs answered: on the message, and on the application if its status waits for it."""
    if not customs.settle(session, accepted, customs.said(words), CustomsMessage.id == message.id):
        return False
    try:
        filing.customs_replied(session, message.application, accepted, customs.said(words))
    except filing.Conflict:
        raise
    except Refused:
        pass  # revoked, or revoking: the answer is kept, the status stays
    return True
