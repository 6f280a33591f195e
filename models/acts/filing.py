"""The acts on an application: check → change → trail → outbox. The caller commits, or rolls back on Refused."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import certificate, clock, customs, deadlines, notifications, workflow
from models.acts import taking
from models.acts.effects import EFFECTS, ActContext
from models.application import Application, lease, trail, typed_opinion
from models.application.locking import Conflict, flush_or_roll_back, lock_or_roll_back, overtaken
from models.language import in_chinese
from models.people.accounts import Account
from models.text import clean_text
from models.vocabulary import Action, Ground, Reason, Step, Word
from models.workflow import Act, Holder, Refused

MOST_WORDS = 2000  # characters of an opinion


def perform(
    session: Session,
    action: Action,
    application: Application,
    by: Account,
    opinion: str = "",
    version: int | None = None,
    office: certificate.Office | None = None,
    reason: Reason = Reason.OTHER,
    grounds: Iterable[Ground] = (),
) -> None:
    """Perform an act of a person; flushes, and the caller commits.

    On Refused (Conflict, Incomplete) nothing is committed; a Conflict found by the row lock has rolled back.

    `version`: of the page that the person saw, None if unknown; another version raises Conflict.
    `office`: issues the certificate, needed for 准予备案; `reason`: of a revocation; `grounds`: of the law, for
    不予备案. An act that takes no opinion records none.
    """
    if version not in (None, application.version) and not workflow.ACTS[action].any_version:
        raise Conflict(overtaken(session, application))
    before, last = application.status, customs.last_message(session, application)
    act = workflow.check(action, before, by.role, customs.is_rejected(last))
    opinion = _reasoned(action, act, clean_text(opinion) or "", grounds)
    effect, context = EFFECTS[action], ActContext(session, application, by, office, reason)
    effect.lock(context)
    lock_or_roll_back(session, application, act, application.version)
    if sentence := hindrance(session, action, application) or _lease_refusal(session, action, application, by):
        raise Refused(sentence)
    effect.check(context)
    changes = effect.changes(context)
    _move(session, application, act, action, by, opinion, changes, effect.digest(context))
    effect.finish(context)
    if act.holder is Holder.NOBODY_ELSE:
        typed_opinion.forget(session, application, by)
    if before in workflow.AWAITING and application.status not in workflow.AWAITING:
        lease.end(session, application)
    if (after := act.leads(before)) is not None and application.certificate is not None:
        customs.enqueue(session, application, last.act if last and after is before else action)
    session.flush()


def hindrance(session: Session, action: Action, application: Application) -> str | None:
    """Why an act that the status allows is refused all the same; None: it is not."""
    if workflow.ACTS[action].once and (sentence := repeated(session, action, application)):
        return sentence
    return EFFECTS[action].hindrance(session, application)


def _lease_refusal(session: Session, action: Action, application: Application, by: Account) -> str | None:
    """The refusal because of a lease on the case (接办), read and locked in the database; None: it may be done."""
    if workflow.ACTS[action].holder is None:
        return None
    return taking.refusal(action, application, lease.lock_latest(session, application), by)


def repeated(session: Session, action: Action, application: Application) -> str | None:
    """The refusal of an act that is allowed once and has been done; None: it may be done."""
    if not trail.newest(session, application.id, action, 1):
        return None
    return _("%(number)s 已经%(action)s过一次，不能再次%(action)s。", number=application.number, action=action.label)


def _reasoned(action: Action, act: Act, opinion: str, grounds: Iterable[Ground]) -> str:
    """The opinion to record: the chosen grounds of the law, then the person's own words. Raises Refused."""
    if not (act.opinion or act.remark):
        return ""
    check_length(opinion)
    if act.remark:
        return opinion
    if act.grounds and (chosen := list(grounds)):
        with in_chinese():
            listed = "；".join(str(ground.label) for ground in chosen)
            basis = _("依据《出版管理条例》第二十五条：%(grounds)s。", grounds=listed)
        return f"{basis}\n{opinion}".strip()
    check_given(action, opinion)
    return opinion


def check_length(opinion: str) -> None:
    """Raises Refused for an opinion that is too long."""
    if len(opinion) > MOST_WORDS:
        raise Refused(_("意见不能超过 %(most)s 字，请精简后再提交。", most=MOST_WORDS))


def check_given(act: Word, opinion: str) -> None:
    """Raises Refused where an opinion is needed and there is none."""
    if not opinion:
        raise Refused(_("%(action)s须填写意见，请写明理由后再提交。", action=act.label))


def record_customs_reply(
    session: Session, application: Application, accepted: bool, words: str = "", by: Account | None = None
) -> None:
    """Set 海关接收成功 or 海关接收失败 once the message is answered; `by`: who recorded the answer by hand.

    Raises Refused in another status, Conflict after a rollback. The caller commits.
    """
    if by is None:
        step, table = (Step.CUSTOMS_ACCEPTED if accepted else Step.CUSTOMS_REJECTED), workflow.RECEIPTS
    else:
        step, table = (Step.SETTLE_ACCEPTED if accepted else Step.SETTLE_REJECTED), workflow.SETTLEMENTS
    act = table[step]
    if application.status not in act.when:
        raise Refused(_("当前状态为「%(status)s」，不接受海关回执。", status=application.status.label))
    lock_or_roll_back(session, application, act, application.version)
    _move(session, application, act, step, by, words)


def _move(
    session: Session,
    application: Application,
    act: Act,
    word: Word,
    by: Account | None,
    words: str,
    changes: dict[str, Any] | None = None,
    digest: str | None = None,
) -> None:
    """Change the status, here only: first the trail entry, then UPDATE … WHERE id AND version, then notifications."""
    before = application.status
    after = act.leads(before)
    entry = trail.record(session, application, word, by, before, words, changes, after or before, digest)
    if after is not None:
        application.changed_at, application.due_on = clock.now(), deadlines.due_on(session, application, after)
        application.status = after
        flush_or_roll_back(session, application)
    notifications.notify(session, application, word, f"trail-{entry.id}")
