"""The draft: begun, filled, and saved under a version (手册 第一章). The caller commits."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock, numbering, workflow
from models.application import MOST_CARRIERS, MOST_DRAFTS, Application, fingerprint, trail
from models.application.changes import content, differences
from models.application.locking import Conflict, flush, overtaken
from models.codes import authority_of
from models.people.accounts import Account, publishers_for
from models.vocabulary import Action, Filing, Status, Step
from models.workflow import Refused


def start(session: Session, by: Account, words: str | None = None) -> Application:
    """A new draft, numbered and owned before any field is filled (手册 第一章; 置灰字段自动返填)."""
    workflow.check(Action.EDIT, Status.DRAFT, by.role)
    assert by.organisation is not None
    assert_room(session, by.organisation.id)
    moment = clock.now()
    application = Application(
        number=numbering.application_number(session, moment.date()),
        status=Status.DRAFT,
        applicant_id=by.organisation.id,
        applicant_name=by.organisation.name,
        applicant_code=by.organisation.credit_code,
        created_at=moment,
        changed_at=moment,
    )
    presses = publishers_for(session, by.organisation_id)
    if len(presses) == 1:
        publish_for(application, presses[0].id, session, by)
    session.add(application)
    session.flush()
    trail.record(session, application, Step.START, by, None, words)
    return application


def assert_room(session: Session, organisation_id: int) -> None:
    """Raises Refused for one draft more than an organisation may keep."""
    own = select(Application.id).where(
        Application.owner_id == organisation_id, Application.status_order == Status.DRAFT.order
    )
    if (session.scalar(select(func.count()).select_from(own.limit(MOST_DRAFTS).subquery())) or 0) >= MOST_DRAFTS:
        sentence = _("贵单位已有 %(most)s 份草稿，请先申报或删除不再需要的草稿，再新建申请。", most=MOST_DRAFTS)
        raise Refused(sentence)


def publish_for(application: Application, publisher_id: int | None, session: Session, by: Account) -> None:
    """Choose the press, and derive what follows from it: 申请类型, 省份, 受理机关."""
    press = next((p for p in publishers_for(session, by.organisation_id) if p.id == publisher_id), None)
    if publisher_id is not None and press is None:
        raise Refused(_("贵单位目前没有受该出版单位委托，请重新选择出版单位。"))
    application.publisher_id = press.id if press else None
    application.publisher_name, application.publisher_code = (press.name, press.credit_code) if press else (None, None)
    application.province = press.province if press else None
    application.authority = authority_of(press.province) if press else None
    application.filing = (
        None if press is None else Filing.OWN if press.id == application.applicant_id else Filing.ENTRUSTED
    )


@contextmanager
def revising(session: Session, application: Application, version: int, by: Account) -> Iterator[None]:
    """Edit the fields and carriers inside this block; on leaving, the change and its trail are flushed.

    `version` is the one the person was looking at: another one raises Conflict before anything is written.
    """
    if application.version != version:  # first, for whoever was overtaken wants to know by whom
        raise Conflict(overtaken(session, application))
    workflow.check(Action.EDIT, application.status, by.role)
    before, chosen, status = content(application), application.publisher_id, application.status
    with session.no_autoflush:
        yield
        if application.publisher_id != chosen:
            if status is not Status.DRAFT:
                raise Refused(_("申报后不能更换出版单位；如需更换，请另行申请。"))
            publish_for(application, application.publisher_id, session, by)
            application.replaces_id = None  # another press's work takes no certificate's place
        _number_carriers(session, application)
    application.changed_at = clock.now()  # always: a change of a carrier alone must count as a version too
    flush(session, application)
    session.expire(application, ["carriers"])  # removed rows are still in the loaded list
    changes = differences(before, content(application))
    if changes:
        digest = digest_once_submitted(session, application)
        trail.record(session, application, Action.EDIT, by, before=status, changes=changes, digest=digest)


def digest_once_submitted(session: Session, application: Application) -> str | None:
    """The digest of the content for the trail, once it has been submitted; a first draft is its owner's alone."""
    return fingerprint.of_one(session, application.id) if application.applied_on is not None else None


def check_count(carriers: int) -> None:
    """Raises Refused for more rows than an application may have."""
    if carriers > MOST_CARRIERS:
        raise Refused(_("一份申请最多录入 %(most)s 条载体信息，请分成几份申请。", most=MOST_CARRIERS))


def _number_carriers(session: Session, application: Application) -> None:
    remaining = [carrier for carrier in application.carriers if carrier not in session.deleted]
    check_count(len(remaining))
    for position, carrier in enumerate(remaining, start=1):
        carrier.position = position
