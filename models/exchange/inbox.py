"""回执: stores receipts and applies each of their results once, to the message and to the application."""

import logging
from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock, customs, notifications
from models.acts import certificate_uses, filing
from models.application import locking
from models.certificate.uses import CertificateUse, Usage
from models.customs import CustomsMessage, CustomsNote, outbox, receipt
from models.customs.outbox import Pace
from models.customs.receipt import CustomsReceipt, Result
from models.database import is_unavailable
from models.notifications.events import Event
from models.vocabulary import Action, Reply
from models.workflow import Refused

LOG = logging.getLogger(__name__)
AT_ONCE = 20  # results applied in one transaction: as many applications are locked meanwhile
MOST_A_ROUND = 1000  # results of one receipt tried in one round, so that sending goes on; the next round continues
CHUNK = 500  # message numbers in one query
MOST_SHOWN = 200  # characters of a result in a line for the log
RETRIES = 3  # attempts to apply a result when people act on the application meanwhile; then it waits for the next round


def store_and_process(session: Session, name: str, raw: bytes, pace: Pace, reply_to: str = "") -> list[str]:
    """Store `raw` as received and process it; a line for each result, none for bytes processed before. Commits."""
    row = receipt.store(session, name, raw, reply_to)
    return process(session, row.id, pace) if row.read_at is None else []


def process(session: Session, key: int, pace: Pace) -> list[str]:
    """Apply the results of a stored receipt; one that fails does not stop the others (CU5, CU7, CU8).

    After a failure the receipt waits, twice as long each time (receipt.postpone). Raises SQLAlchemyError if the
    database is unavailable.
    """
    try:
        return _process(session, key, pace)
    except Exception as broken:
        session.rollback()
        if isinstance(broken, SQLAlchemyError) and is_unavailable(broken):
            raise
        receipt.postpone(session, key, line := failure_line(broken), pace)
        return [line]


def _process(session: Session, key: int, pace: Pace) -> list[str]:
    """The lines of process(), which says what happens.

    Commits after each batch. Idempotent: parallel or repeated calls apply each result once. After MOST_A_ROUND results
    it stops, and the next call goes on from there, past those that failed: a long receipt does not keep messages from
    being sent. The pause after failures is short while a result is only busy, or was not tried yet.
    """
    row = session.get_one(CustomsReceipt, key)
    results, odd = receipt.interpret(row.name, row.raw)
    later, next_place = _left_for_later(session, key, results, row.next_place)
    places = [place for place in range(len(results)) if place not in later]
    lines, left, failure, soon = list(odd), bool(later), "", next_place > 0
    for first in range(0, len(places), AT_ONCE):
        batch = [(place, results[place]) for place in places[first : first + AT_ONCE]]
        for line, known, why in _apply_batch(session, key, batch, pace):
            lines.append(line)
            odd += [] if known else [line]
            left, failure, soon = left or why is not None, failure or why or "", soon or why == ""
    if failure:
        receipt.postpone(session, key, failure, pace, soon)
    row = session.get_one(CustomsReceipt, key)
    row.next_place = next_place
    if not left:  # otherwise the next round processes the rest
        row.read_at, row.verdict, row.strange = clock.now(), "\n".join(odd), bool(odd)
    session.commit()
    return lines


def _left_for_later(session: Session, key: int, results: list[Result], begin: int) -> tuple[set[int], int]:
    """(places of the results not to be tried in this round, the place where the next round begins).

    A round tries MOST_A_ROUND results from the place `begin` on, or from the first, if there are none after it; those
    that are noted already, or of no message here, do not count. So results that always fail do not stop those after.
    """
    noted = set(session.scalars(select(CustomsNote.place).where(CustomsNote.receipt_id == key)))
    names = [result.message_id for result in results]
    known: set[str] = set()
    for first in range(0, len(names), CHUNK):
        some = CustomsMessage.message_id.in_(names[first : first + CHUNK])
        known |= set(session.scalars(select(CustomsMessage.message_id).where(some)))
    waiting = [place for place, name in enumerate(names) if place not in noted and name in known]
    ahead = [place for place in waiting if place >= begin] or waiting
    return set(waiting) - set(ahead[:MOST_A_ROUND]), ahead[MOST_A_ROUND] if len(ahead) > MOST_A_ROUND else 0


def _apply_batch(
    session: Session, key: int, batch: list[tuple[int, Result]], pace: Pace
) -> Iterator[tuple[str, bool, str | None]]:
    """(line, whether the message exists here, failure) for each; one commit, or one each if the batch fails.

    `failure`: None: done; "": the application is locked by somebody, which is no fault; else the reason.
    """
    outcomes = []
    try:
        for place, result in batch:
            outcomes.append((*_note(session, key, place, result, pace), None))
            session.flush()
            session.expire_all()  # messages are changed by UPDATE statements: a later result must see that
        session.commit()
    except Exception:  # of one result: each is applied again in a transaction of its own, so that only that one fails
        session.rollback()
    else:
        yield from outcomes
        return
    for place, result in batch:
        try:
            yield *_apply_once(session, key, place, result, pace), None
        except locking.Conflict:
            yield f"{result.message_id}：{_('申请正在办理，回执稍后登记。')}", True, ""
        except Exception as broken:
            session.rollback()
            if isinstance(broken, SQLAlchemyError) and is_unavailable(broken):
                raise  # all others would fail too
            why = failure_line(broken)
            yield f"{_shortened(result.message_id, 64)}：{why}", True, why


def failure_line(broken: Exception) -> str:
    """The line for a receipt, or one of its results, that could not be applied; the next round tries again."""
    return _("回执未能登记，稍后再试。%(why)s", why=reason_of(broken))


def reason_of(broken: Exception) -> str:
    """The text of a Refused; of any other error only the type, the rest goes to the log."""
    if isinstance(broken, Refused):
        return str(broken)
    LOG.error("an exchange with customs failed", exc_info=broken)
    return type(broken).__name__


def _apply_once(session: Session, key: int, place: int, result: Result, pace: Pace) -> tuple[str, bool]:
    """(line, whether the message exists here). Commits the change together with its note, which is unique."""
    for attempt in range(RETRIES):
        try:
            outcome = _note(session, key, place, result, pace)
            session.commit()
            return outcome
        except (locking.Conflict, IntegrityError):  # a person acted, or another process noted it, in between: retry
            session.rollback()
            if attempt + 1 == RETRIES:
                raise
    raise AssertionError


def _note(session: Session, key: int, place: int, result: Result, pace: Pace) -> tuple[str, bool]:
    """Apply one result and note it, unless it is noted already; the line, as _apply_once. The caller commits."""
    name = _shortened(result.message_id, 64)
    message = session.scalar(select(CustomsMessage).where(CustomsMessage.message_id == result.message_id))
    if message is None:
        return _("%(name)s：我方没有这份报文，已原样留存。", name=name), False
    words = session.scalar(select(CustomsNote.words).where(CustomsNote.receipt_id == key, CustomsNote.place == place))
    if words is None:
        words = " ".join(filter(None, (str(result.reply.label), result.reference, result.words)))
        if not (_apply_use(session, message, key, place, result) or _apply(session, message, result, pace)):
            words += _contradiction(message, result) or _("（此前已登记，或所指并非当前发送，不再变动）")
        customs.add_note(session, message, words, key, place, result.part)
    return f"{name}：{_shortened(words, MOST_SHOWN)}", True


def _shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[:most] + "…"


def _contradiction(message: CustomsMessage, result: Result) -> str:
    """The remark on a result that contradicts an answer recorded by hand; "" if it does not."""
    final = {Reply.ACCEPTED: True, Reply.REJECTED: False}.get(result.reply)
    if not message.by_hand or final in (None, message.accepted):
        return ""
    return _("（与此前人工登记的结果不符，状态没有变动，请向海关核实）")


def _apply_use(session: Session, message: CustomsMessage, key: int, place: int, result: Result) -> bool:
    """Record a use of the certificate; False for any other result, or one that is known. The caller commits."""
    if result.used_at is None:
        return False
    use = CertificateUse(certificate_id=message.certificate_id, usage=Usage(result.reply.value), at=result.used_at)
    use.reference, use.receipt_id, use.place = result.reference, key, place
    return certificate_uses.record(session, message.application, use)


def _apply(session: Session, message: CustomsMessage, result: Result, pace: Pace) -> bool:
    """Update message and application by a result; False when it changes nothing. The caller commits."""
    why = f"{result.reply.label}。{result.words}".strip()
    match result.reply:
        case Reply.ACCEPTED | Reply.REJECTED:
            return _apply_answer(session, message, result.reply is Reply.ACCEPTED, result.words)
        case Reply.UNKNOWN:
            return outbox.requeue(session, message.id, result.query_attempt, why, pace)
        case Reply.NOTED | Reply.USED_UP:
            return False
        case Reply.FAULT:
            return outbox.count_failure(session, message.id, why, pace)
    return outbox.mark_forwarded(session, message.id, why)


def _apply_answer(session: Session, message: CustomsMessage, accepted: bool, words: str) -> bool:
    """Record the answer on the message, and on the application if its status waits for it; False when not open."""
    if not customs.record_answer(session, accepted, customs.column_text(words), CustomsMessage.id == message.id):
        return False
    try:
        filing.record_customs_reply(session, message.application, accepted, customs.column_text(words))
    except locking.Conflict:
        raise
    except Refused:  # revoked or being revoked: the answer is recorded, the status stays
        if message.act is Action.REVOKE and not accepted and _has_been_accepted(session, message.certificate_id):
            notifications.notify(session, message.application, Event.REVOCATION_REJECTED, f"customs-{message.id}")
    return True


def _has_been_accepted(session: Session, certificate_id: int) -> bool:
    """Whether customs has accepted any message about this certificate."""
    accepted = select(CustomsMessage.id).where(
        CustomsMessage.certificate_id == certificate_id, CustomsMessage.accepted.is_(True)
    )
    return session.scalar(accepted.limit(1)) is not None
