"""Drafts: starting, editing, saving with an optimistic lock (手册 第一章). The caller commits."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock, numbering, workflow
from models.application import MOST_CARRIERS, MOST_DRAFTS, Application, fingerprint, trail
from models.application.changes import content, differences
from models.application.locking import Conflict, flush_or_roll_back, overtaken
from models.codes import authority_of
from models.people.accounts import Account, Organisation, publishers_for
from models.vocabulary import Action, Filing, Status, Step
from models.workflow import Refused


def start(session: Session, by: Account, words: str | None = None) -> Application:
    """Create a draft with number and owner before any field is filled (手册 第一章; 置灰字段自动返填).

    Flushes; raises Refused as new_draft().
    """
    application = new_draft(session, by)
    insert_numbered(session, application)
    trail.record(session, application, Step.START, by, None, words)
    return application


def insert_numbered(session: Session, application: Application) -> None:
    """Reserve the 申请单号 of a new draft, add the draft to the session and flush.

    Others who create drafts wait for the commit. The draft is added only here, so that no autoflush inserts it without
    its number.
    """
    application.number = numbering.application_number(session, application.created_at.date())
    application.last_seal = None  # known: it need not be read
    session.add(application)
    session.flush()


def new_draft(session: Session, by: Account) -> Application:
    """A new draft, not yet in the session; insert_numbered() adds it. Raises Refused, also above MOST_DRAFTS."""
    workflow.check(Action.EDIT, Status.DRAFT, by.role)
    assert by.organisation is not None
    assert_below_limit(session, by.organisation.id)
    moment = clock.now()
    application = Application(
        status=Status.DRAFT,
        applicant_id=by.organisation.id,
        applicant_name=by.organisation.name,
        applicant_code=by.organisation.credit_code,
        created_at=moment,
        changed_at=moment,
    )
    publishers = publishers_for(session, by.organisation_id)
    if len(publishers) == 1:
        _set_publisher(application, publishers[0])
    return application


def assert_below_limit(session: Session, organisation_id: int) -> None:
    """Raises Refused when the organisation has MOST_DRAFTS drafts already."""
    own = select(Application.id).where(
        Application.owner_id == organisation_id, Application.status_order == Status.DRAFT.order
    )
    if (session.scalar(select(func.count()).select_from(own.limit(MOST_DRAFTS).subquery())) or 0) >= MOST_DRAFTS:
        sentence = _("贵单位已有 %(most)s 份草稿，请先申报或删除不再需要的草稿，再新建申请。", most=MOST_DRAFTS)
        raise Refused(sentence)


def set_publisher(application: Application, publisher_id: int | None, session: Session, by: Account) -> None:
    """Set the publisher (None: none yet) and what follows from it: 申请类型, 省份, 受理机关. Raises Refused."""
    publisher = next((p for p in publishers_for(session, by.organisation_id) if p.id == publisher_id), None)
    if publisher_id is not None and publisher is None:
        raise Refused(_("贵单位目前没有受该出版单位委托，请重新选择出版单位。"))
    _set_publisher(application, publisher)


def _set_publisher(application: Application, publisher: Organisation | None) -> None:
    application.publisher_id = publisher.id if publisher else None
    application.publisher_name, application.publisher_code = (
        (publisher.name, publisher.credit_code) if publisher else (None, None)
    )
    application.province = publisher.province if publisher else None
    application.authority = authority_of(publisher.province) if publisher else None
    application.filing = (
        None if publisher is None else Filing.OWN if publisher.id == application.applicant_id else Filing.ENTRUSTED
    )


@contextmanager
def revising(session: Session, application: Application, version: int, by: Account) -> Iterator[None]:
    """Edit the fields and carriers inside this block; on leaving, the change and its trail are flushed.

    `version`: of the page that the person edited; raises Conflict when the application has another one by now, and
    Refused when it may not be edited, or its publisher no longer changed.
    """
    if application.version != version:  # before the check of the status: this sentence names who changed it
        raise Conflict(overtaken(session, application))
    workflow.check(Action.EDIT, application.status, by.role)
    before, chosen, status = content(application), application.publisher_id, application.status
    with session.no_autoflush:
        yield
        if application.publisher_id != chosen:
            if status is not Status.DRAFT:
                raise Refused(_("申报后不能更换出版单位；如需更换，请另行申请。"))
            set_publisher(application, application.publisher_id, session, by)
            application.replaces_id = None  # the certificate to be replaced is of the former publisher
        _number_carriers(session, application)
    application.changed_at = clock.now()  # always: a change of a carrier alone must count as a version too
    if application.id is None:
        insert_numbered(session, application)
        before["number"] = application.number
        trail.record(session, application, Step.START, by, None)
    else:
        flush_or_roll_back(session, application)
    session.expire(application, ["carriers"])  # removed rows are still in the loaded list
    changes = differences(before, content(application))
    if changes:
        digest = digest_once_submitted(session, application)
        trail.record(session, application, Action.EDIT, by, before=status, changes=changes, digest=digest)


def digest_once_submitted(session: Session, application: Application) -> str | None:
    """The digest of the content for the trail; None before the first 申报, when only the owner may know the content."""
    return fingerprint.of_one(session, application.id) if application.applied_on is not None else None


def check_count(carriers: int) -> None:
    """Raises Refused for more than MOST_CARRIERS rows."""
    if carriers > MOST_CARRIERS:
        raise Refused(_("一份申请最多录入 %(most)s 条载体信息，请分成几份申请。", most=MOST_CARRIERS))


def _number_carriers(session: Session, application: Application) -> None:
    remaining = [carrier for carrier in application.carriers if carrier not in session.deleted]
    check_count(len(remaining))
    for position, carrier in enumerate(remaining, start=1):
        carrier.position = position
