"""The acts on an application: check → change → trail → outbox. The caller commits, or rolls back on Refused."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import certificate, clock, customs, workflow
from models.acts.drafts import publish_for
from models.application import Application, trail
from models.application.attachments import reread_files
from models.application.changes import content, differences
from models.application.locking import Conflict, flush, hold, overtaken
from models.certificate import paper_queue
from models.customs import envelope
from models.people.accounts import Account, publishers_for
from models.text import clean_text
from models.vocabulary import Action, Ground, Reason, Step, Word
from models.workflow import Refused, Rule

MOST_WORDS = 2000  # of an opinion


class Incomplete(Refused):
    """申报 lacks something: `missing` maps the field to its sentence."""

    def __init__(self, missing: dict[str, str]) -> None:
        super().__init__(_("还有 %(count)s 项没有完成，暂不能申报。", count=len(missing)))
        self.missing = missing


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
    """One act of one person; raises Refused (Conflict, Incomplete) and then has changed nothing that is committed.

    `version` is the one the person was looking at, where known: nobody decides on what they have not seen.
    准予备案 needs the `office` that issues the certificate; `reason` is why one is revoked, `grounds` those of the law
    for 不予备案. An act that takes no opinion records none.
    """
    if version not in (None, application.version) and action is not Action.PRINT:  # the paper is of what was granted
        raise Conflict(overtaken(session, application))
    before, last = application.status, customs.last(session, application)
    rule = workflow.check(action, before, by.role, customs.rejected(last))
    opinion = _reasoned(action, rule, clean_text(opinion) or "", grounds)
    hold(session, application, rule, application.version)
    _check_held(session, action, application, by, office)
    _move(session, application, rule, action, by, opinion, _particulars(session, application, action, reason, by))
    match action:
        case Action.SUBMIT:
            application.applied_on, application.submitted_at = clock.today(), clock.now()
        case Action.GRANT if office:
            _issue(session, application, by, office)
        case Action.DELETE:  # last, for it hides the row, and its trail, from this very session
            application.deleted_at = clock.now()
    if (after := rule.leads(before)) is not None and application.certificate is not None:
        customs.queue(session, application, last.act if last and after is before else action)
    session.flush()


def _reasoned(action: Action, rule: Rule, opinion: str, grounds: Iterable[Ground]) -> str:
    """What is recorded as the opinion: the chosen grounds of the law, then the person's own words."""
    if not rule.opinion:
        return ""
    check_length(opinion)
    chosen = [str(ground.label) for ground in grounds] if action is Action.REFUSE else []
    if chosen:
        basis = _("依据《出版管理条例》第二十五条：%(grounds)s。", grounds="；".join(chosen))
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


def _check_held(
    session: Session, action: Action, application: Application, by: Account, office: certificate.Office | None
) -> None:
    """What can be judged only once the row is held; nothing has moved yet."""
    match action:
        case Action.SUBMIT:
            _check_complete(session, application, by)
        case Action.GRANT if office:
            office.check(application, by)
        case Action.GRANT:
            raise Refused(_("尚未配置签章密钥，不能签发证明，请联系系统管理员。"))


def _name_parties(session: Session, application: Application, by: Account) -> dict[str, Any]:
    """At the first 申报: names, codes and province as they are registered today; later on they stay. What changed."""
    assert by.organisation is not None
    before = content(application)
    publish_for(application, application.publisher_id, session, by)
    application.applicant_name, application.applicant_code = by.organisation.name, by.organisation.credit_code
    return differences(before, content(application))


def _particulars(
    session: Session, row: Application, action: Action, reason: Reason, by: Account
) -> dict[str, Any] | None:
    """What an act's trail entry tells beside the opinion: which print it was, why a certificate was revoked, how the
    parties are called since the draft was begun."""
    if action is Action.SUBMIT and row.applied_on is None:
        return _name_parties(session, row, by)
    if action is Action.PRINT:  # counted in the database, now that the row is held: no two prints are the n-th
        printed = select(func.count(trail.TrailEntry.id)).where(
            trail.TrailEntry.application_id == row.id, trail.TrailEntry.act == Action.PRINT.value
        )
        before = session.scalar(printed) or 0
        return {"copy": [before, before + 1]}
    return {"reason": [None, reason.value]} if action is Action.REVOKE else None


def _issue(session: Session, application: Application, by: Account, office: certificate.Office) -> None:
    try:
        paper_queue.enqueue(session, office.issue(session, application, by))
    except IntegrityError as doubled:
        session.rollback()
        if "replaces_id" not in str(doubled.orig):
            raise
        sentence = _("原证明刚刚已由另一份申请的证明替代，不能再次替代，%(number)s 没有准予备案。请刷新后核对。")
        raise Conflict(sentence % {"number": application.number}) from None


def lacking(application: Application) -> dict[str, str]:
    """What keeps it from being declared: field → sentence; what is missing, and what could not be printed."""
    return application.missing() | certificate.unprintable(application)


def _check_complete(session: Session, application: Application, by: Account) -> None:
    """Checked after the row is held, on what is then in the database."""
    session.expire(application, ["carriers"])
    reread_files(session, application)
    if missing := lacking(application):
        raise Incomplete(missing)
    if application.publisher_id not in {press.id for press in publishers_for(session, by.organisation_id)}:
        raise Refused(_("贵单位目前没有受该出版单位委托，不能为其申报，请核对委托期限。"))
    envelope.check_sendable(application)


def customs_replied(
    session: Session, application: Application, accepted: bool, words: str = "", by: Account | None = None
) -> None:
    """海关接收成功 / 海关接收失败: what customs' receipt does; `by` is who settles it by hand, as no receipt came."""
    step = Step.CUSTOMS_ACCEPTED if accepted else Step.CUSTOMS_REJECTED
    rule = workflow.RECEIPTS[step]
    if by is not None:
        step = Step.SETTLE_ACCEPTED if accepted else Step.SETTLE_REJECTED
        rule = workflow.SETTLEMENTS[step]
    if application.status not in rule.when:
        raise Refused(_("当前状态为「%(status)s」，不接受海关回执。", status=application.status.label))
    its = customs.CustomsMessage.application_id == application.id
    customs.settle(session, accepted, words, its, by_hand=by is not None)
    hold(session, application, rule, application.version)
    _move(session, application, rule, step, by, words)


def _move(
    session: Session,
    application: Application,
    rule: Rule,
    act: Word,
    by: Account | None,
    words: str,
    particulars: dict[str, Any] | None = None,
) -> None:
    """The one place where a status moves: first its trail entry, then UPDATE … WHERE id AND version."""
    before = application.status
    after = rule.leads(before)
    trail.record(session, application, act, by, before, words, particulars, after=after or before)
    if after is None:
        return
    application.changed_at = clock.now()
    application.moving = True
    try:
        application.status = after
    finally:
        application.moving = False
    flush(session, application)
