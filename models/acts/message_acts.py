"""What the province does with a message to customs: 放行, 查询, 搁置, and 人工登记 of an answer that never came."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import customs, workflow
from models.acts import filing
from models.application import trail
from models.application.locking import lock_or_roll_back
from models.customs import CustomsMessage, outbox
from models.language import in_chinese
from models.people.accounts import Account
from models.text import clean_text
from models.vocabulary import Step
from models.workflow import Refused
from models.workflow.customs_acts import ON_MESSAGE


def perform(
    session: Session, act: Step, message: CustomsMessage, by: Account, since: datetime, opinion: str = ""
) -> None:
    """Perform an act of a person on a message, with its trail entry; raises Refused. The caller commits or rolls back.

    `since`: a message sent before it and not answered is 久未回执 (Pace.unanswered_since()).
    """
    if sentence := refusal(act, message, by, since):
        raise Refused(sentence)
    if not workflow.MESSAGE_ACTS[act].opinion:
        _change(session, act, message)
        _record(session, act, message, by, message.message_id)
        return
    opinion = clean_text(opinion) or ""
    filing.check_length(opinion)
    filing.check_given(act, opinion)
    _settle(session, act, message, by, opinion)


def refusal(act: Step, message: CustomsMessage, by: Account, since: datetime) -> str | None:
    """Why `by` may not do this to the message now; None: it is allowed."""
    return workflow.message_refusal(act, message.state, message.unanswered(since), by.role)


def _change(session: Session, act: Step, message: CustomsMessage) -> None:
    """Change the message; raises Refused when its state has changed meanwhile."""
    match act:
        case Step.RELEASE:
            done = outbox.release(session, message)
        case Step.SET_ASIDE:
            done = outbox.set_aside(session, message)
        case _:
            done = outbox.query_now(session, message)
    if not done:
        raise Refused(_changed(act))


def _changed(act: Step) -> str:
    if act is Step.ASK:
        return _("查询已经安排，无需重复；结果会显示在报文页面。")
    return _("报文的状态刚刚已经改变，没有办理。请刷新后核对。")


def _settle(session: Session, act: Step, message: CustomsMessage, by: Account, opinion: str) -> None:
    """Record the answer as a receipt would: on the message, and on the application if its status waits for it."""
    accepted, application = act is Step.SETTLE_ACCEPTED, message.application
    with in_chinese():
        words = _("报文 %(name)s：%(opinion)s", name=message.message_id, opinion=opinion)
        note = f"{act.label}（{by.name}）：{opinion}"
    this = CustomsMessage.id == message.id
    if not customs.record_answer(session, accepted, customs.column_text(opinion), this, by_hand=True):
        raise Refused(_changed(act))
    customs.add_note(session, message, note)
    if application.status in workflow.SETTLEMENTS[act].when:
        filing.record_customs_reply(session, application, accepted, words, by)
    else:  # revoked meanwhile: the status stays
        _record(session, act, message, by, words)


def _record(session: Session, act: Step, message: CustomsMessage, by: Account, words: str) -> None:
    status = lock_or_roll_back(session, message.application, ON_MESSAGE)
    trail.record(session, message.application, act, by, status, words)
