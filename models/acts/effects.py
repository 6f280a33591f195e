"""What an act does besides moving the status, and what may prevent it: the Effects that the records in ACTS name."""

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import certificate, clock, deadlines
from models.acts import taking, withdrawal
from models.acts.completeness import check_complete
from models.acts.drafts import set_publisher
from models.application import Application, fingerprint, known_viruses, lease, trail
from models.application.changes import content, differences
from models.application.locking import Conflict
from models.certificate import paper_queue
from models.deadlines.provinces import limits_of
from models.people.accounts import Account
from models.vocabulary import Action, Reason
from models.workflow import ACTS, Refused


@dataclass(frozen=True)
class ActContext:
    """One act of one person on a locked row."""

    session: Session
    application: Application
    by: Account
    office: certificate.Office | None
    reason: Reason


def no_hindrance(session: Session, application: Application) -> str | None:
    """Nothing prevents the act where the status allows it."""
    return None


@dataclass(frozen=True)
class Effect:
    """What an act does besides moving the status, in order.

    `hindrance`: the sentence why it may not be done although the status allows it, or None; buttons ask for it, too.
    `lock`: locks other rows before the application's. `check`: raises Refused before anything is written.
    `changes`: field → [old, new] for the trail entry. `digest`: SHA-256 of what the act has written, for that entry.
    `finish`: runs after the status has changed.
    """

    hindrance: Callable[[Session, Application], str | None] = no_hindrance
    lock: Callable[[ActContext], object] = lambda context: None
    check: Callable[[ActContext], None] = lambda context: None
    changes: Callable[[ActContext], dict[str, Any] | None] = lambda context: None
    digest: Callable[[ActContext], str | None] = lambda context: None
    finish: Callable[[ActContext], None] = lambda context: None


def submit(context: ActContext) -> dict[str, Any] | None:
    """Set the parties' names and 申请日期, before the trail entry, whose digest covers both."""
    changes = name_parties(context)
    context.application.applied_on, context.application.submitted_at = clock.today(), clock.now()
    context.application.submissions += 1
    context.application.opened_at = None
    return changes


def content_digest(context: ActContext) -> str:
    return fingerprint.of_one(context.session, context.application.id)


def name_parties(context: ActContext) -> dict[str, Any] | None:
    """At the first 申报 copy names, codes and province as registered today; a later 申报 leaves them as they are."""
    application, by = context.application, context.by
    if application.applied_on is not None:
        return None
    assert by.organisation is not None
    before = content(application)
    set_publisher(application, application.publisher_id, context.session, by)
    application.applicant_name, application.applicant_code = by.organisation.name, by.organisation.credit_code
    return differences(before, content(application))


def check_office(context: ActContext) -> None:
    """Raises Refused without an office, or when its check fails."""
    if context.office is None:
        raise Refused(_("尚未配置签章密钥，不能签发证明，请联系系统管理员。"))
    context.office.check(context.application, context.by)


def issue_certificate(context: ActContext) -> str:
    """Create the certificate and the task to make its paper; returns its digest. Raises Conflict after a rollback."""
    session, application = context.session, context.application
    assert context.office is not None
    try:
        issued = context.office.issue(session, application, context.by)
        paper_queue.enqueue(session, issued)
    except IntegrityError as doubled:
        session.rollback()
        if "replaces_id" not in str(doubled.orig):
            raise
        sentence = _("原证明刚刚已由另一份申请的证明替代，不能再次替代，%(number)s 没有准予备案。请刷新后核对。")
        raise Conflict(sentence % {"number": application.number}) from None
    return issued.fingerprint()


def count_print(context: ActContext) -> dict[str, Any]:
    """Count the print in the database while the row is locked, so that no two prints get the same number."""
    printed = select(func.count(trail.TrailEntry.id)).where(
        trail.TrailEntry.application_id == context.application.id, trail.TrailEntry.act == Action.PRINT.value
    )
    before = context.session.scalar(printed) or 0
    return {"copy": [before, before + 1]}


def record_reason(context: ActContext) -> dict[str, Any]:
    return {"reason": [None, context.reason.value]}


def mark_deleted(context: ActContext) -> None:
    """Set `deleted_at`: row security then hides the row and its trail from this session."""
    context.application.deleted_at = clock.now()


def uncount_submission(context: ActContext) -> None:
    """A withdrawn submission does not count: the next one is no resubmission after 退回."""
    context.application.submissions -= 1


def lock_limits(context: ActContext) -> None:
    """Lock the limits before the row: a change of the limits locks in this order too, so there is no deadlock."""
    limits_of(context.session, context.application.province, lock=True)


def extend_deadline(context: ActContext) -> None:
    """Set the new due date. The trail entry of this 延期 is written already and is included in the count."""
    application = context.application
    application.changed_at = clock.now()
    application.due_on = deadlines.due_on(context.session, application, application.status)


SUBMIT = Effect(
    check=lambda context: check_complete(context.session, context.application, context.by),
    changes=submit,
    digest=content_digest,
)
WITHDRAW = Effect(hindrance=withdrawal.hindrance, finish=uncount_submission)
DELETE = Effect(finish=mark_deleted)
TAKE = Effect(finish=lambda context: taking.take(context.session, context.application, context.by))
PUT_BACK = Effect(finish=lambda context: lease.end(context.session, context.application))
GRANT = Effect(hindrance=known_viruses.hindrance_to_grant, check=check_office, digest=issue_certificate)
EXTEND = Effect(lock=lock_limits, finish=extend_deadline)
PRINT = Effect(changes=count_print)
REVOKE = Effect(changes=record_reason)

EFFECTS: dict[Action, Effect] = {
    action: resolve_name(act.effect) if act.effect else Effect() for action, act in ACTS.items()
}
