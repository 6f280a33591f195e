"""上传附件: a file into an application, and out of it again, while it may be edited (手册 第一章)."""

from typing import BinaryIO

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import clock, workflow
from models.acts.drafts import digest_once_submitted, start
from models.application import Application, known_viruses, trail
from models.application.attachments import Attachment, Store, Stored, reread_files, with_ending
from models.application.bounds import Bounds
from models.application.file_names import clean_name
from models.application.locking import lock_or_roll_back
from models.people.accounts import Account
from models.vocabulary import Action, AttachmentKind, Status, Step
from models.workflow import Refused


def attach(
    session: Session,
    application: Application | None,
    kind: AttachmentKind,
    stream: BinaryIO,
    name: str,
    by: Account,
    store: Store,
    limit: int,
    replaces: int | None = None,
    bounds: Bounds = Bounds(),  # noqa: B008  frozen
) -> Attachment:
    """Store an upload, then add its row; flushes. Makes no new version, so that open forms do not conflict.

    `application` None: a draft is started after the inspection of the file, which is slow, because reserving a number
    makes others wait. Raises Refused.
    """
    workflow.check(Action.EDIT, application.status if application else Status.DRAFT, by.role)
    if application:  # before the slow inspection; checked again under the lock
        bounds.assert_few_uploads(application)
        if replaces is None:
            bounds.assert_below_limits(application, kind)
    stored = store.put(stream, clean_name(name), limit, by.id)
    return attach_stored(session, application or start(session, by), kind, stored, name, by, replaces, bounds)


def attach_stored(
    session: Session,
    application: Application,
    kind: AttachmentKind,
    stored: Stored,
    name: str,
    by: Account,
    replaces: int | None = None,
    bounds: Bounds = Bounds(),  # noqa: B008  frozen
) -> Attachment:
    """Add the row of bytes that are inspected and in the store already. Raises Refused, also for a known virus."""
    name = with_ending(clean_name(name), stored.media_type)
    known_viruses.refuse_upload(session, stored.digest, name)
    status = lock_or_roll_back(session, application, workflow.check(Action.EDIT, application.status, by.role))
    reread_files(session, application)
    old = _remove(application, replaces).name if replaces is not None else None
    bounds.assert_below_limits(application, kind)
    file = Attachment(
        application=application,
        application_id=application.id,
        kind=kind,
        name=name,
        size=stored.size,
        digest=stored.digest,
        media_type=stored.media_type,
        uploaded_at=clock.now(),
        uploaded_by=by.id,
        scanned_at=clock.now() if stored.scanned else None,
    )
    session.add(file)
    digest = digest_once_submitted(session, application)
    trail.record(session, application, Step.ATTACH, by, status, changes={str(kind): [old, name]}, digest=digest)
    return file


def detach(session: Session, application: Application, attachment_id: int, by: Account) -> Attachment:
    """Mark a file as removed while its application may be edited; its bytes stay in the store. Raises Refused."""
    status = lock_or_roll_back(session, application, workflow.check(Action.EDIT, application.status, by.role))
    reread_files(session, application)
    file = _remove(application, attachment_id)
    changes, digest = {str(file.kind): [file.name, None]}, digest_once_submitted(session, application)
    trail.record(session, application, Step.DETACH, by, status, changes=changes, digest=digest)
    return file


def _remove(application: Application, attachment_id: int) -> Attachment:
    file = next((file for file in application.current_attachments if file.id == attachment_id), None)
    if file is None:
        raise Refused(_("该附件已不存在，请刷新页面后再试。"))
    file.removed_at = clock.now()
    return file
