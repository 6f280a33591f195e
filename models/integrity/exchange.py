"""Compares messages to customs with the trail: every reported act has a message, every answer its evidence."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session

from models.application import Application
from models.application.fingerprint import BATCH, GroupedRows
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.customs import CustomsMessage, CustomsNote
from models.vocabulary import Action, Reply, Status, Step
from models.workflow import ACTS

ANSWERS = {  # entry of the trail about a message → whether customs has accepted it
    Step.CUSTOMS_ACCEPTED: True,
    Step.CUSTOMS_REJECTED: False,
    Step.SETTLE_ACCEPTED: True,
    Step.SETTLE_REJECTED: False,
}
BY_HAND = {Step.SETTLE_ACCEPTED, Step.SETTLE_REJECTED}


@dataclass
class ReportedAct:
    """An act reported to customs, and the answers in the trail: (accepted, by hand, words)."""

    acts: set[str]
    answers: list[tuple[bool, bool, str]] = field(default_factory=list)


def contradictions(session: Session) -> Iterator[str]:
    """Yield a sentence for each certificate whose messages do not match its trail."""
    entry = (TrailEntry.act, TrailEntry.before, TrailEntry.opinion)
    message = (
        CustomsMessage.id, CustomsMessage.act, CustomsMessage.message_id, CustomsMessage.accepted,
        CustomsMessage.answered_at, CustomsMessage.by_hand,
    )  # fmt: skip
    entries, messages = (_rows(session, entry, TrailEntry), _rows(session, message, CustomsMessage))
    granted = select(Application.id, Application.number, Certificate.number.label("certificate"))
    granted = granted.join(Application.certificate).order_by(Application.id)
    for row in session.execute(granted.execution_options(yield_per=BATCH)):
        reported, sent = _reported_acts(entries.of(row.id)), list(messages.of(row.id))
        if len(reported) != len(sent) or not all(map(_reports, reported, sent)):
            yield _("申请 %(number)s 发往海关的报文与办理记录不符。", number=row.number)
            continue
        for act, each in zip(reported, sent, strict=True):
            if not each.message_id.startswith(f"{row.certificate}-"):
                yield _("报文 %(message)s 的编号与证明编号不符。", message=each.message_id)
            if not _is_answered(session, act, each):
                yield _("报文 %(message)s 的海关结果与办理记录或回执不符。", message=each.message_id)


def _rows(session: Session, columns: tuple[Any, ...], table: Any) -> GroupedRows:
    rows = select(table.application_id.label("key"), *columns).order_by(table.application_id, table.id)
    return GroupedRows(iter(session.execute(rows.execution_options(yield_per=BATCH))))


def _reported_acts(entries: Iterator[Row[Any]]) -> list[ReportedAct]:
    """The acts reported to customs: the grant, and every later act of a person that leads to a status."""
    found: list[ReportedAct] = []
    for row in entries:
        act, before, opinion = row.act, row.before, row.opinion
        if before is not None and act in set(Action) and (found or act == Action.GRANT.value):
            if ACTS[Action(act)].leads(Status(before)) is not None:
                former = found[-1].acts if found else set()
                found.append(ReportedAct({act} | (former if act == Action.RESEND.value else set())))
        elif act in set(ANSWERS) and found:
            step = Step(act)
            found[-1].answers.append((ANSWERS[step], step in BY_HAND, opinion or ""))
    return found


def _reports(reported: ReportedAct, message: Row[Any]) -> bool:
    """Whether the message is about this act; 重发 is a message about the act that it repeats."""
    return str(message.act) in reported.acts


def _is_answered(session: Session, reported: ReportedAct, message: Row[Any]) -> bool:
    """Whether the answer on the message matches the trail, or, without an entry there, a note of a receipt."""
    about = [answer for answer in reported.answers if not answer[1] or message.message_id in answer[2]]
    if (message.accepted is None) != (message.answered_at is None):
        return False
    if about:
        return any((accepted, by_hand) == (message.accepted, message.by_hand) for accepted, by_hand, _words in about)
    if message.accepted is None:
        return True
    words = Reply.ACCEPTED if message.accepted else Reply.REJECTED
    noted = (CustomsNote.customs_message_id == message.id, CustomsNote.words.startswith(str(words.label)))
    return not message.by_hand and bool(session.scalar(select(exists().where(*noted))))
