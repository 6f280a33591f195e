"""申报: what an application still lacks."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session, object_session

from models import certificate, workflow
from models.application import Application, typed_form
from models.application.attachments import reread_files
from models.customs import envelope
from models.deadlines import provinces
from models.people.accounts import Account
from models.people.entrusting import assert_may_apply
from models.vocabulary import AttachmentKind, Filing
from models.workflow import Refused


class Incomplete(Refused):
    """申报 lacks something: `missing` maps the field to its sentence."""

    def __init__(self, missing: dict[str, str]) -> None:
        super().__init__(_("还有 %(count)s 项没有完成，暂不能申报。", count=len(missing)))
        self.missing = missing


def required_kinds(
    filing: Filing | None, further: frozenset[AttachmentKind] | None = None
) -> frozenset[AttachmentKind]:
    """THE rule of required attachments: those of the vocabulary, and what the province requires besides."""
    return frozenset(kind for kind in AttachmentKind if kind.required(filing)) | (further or frozenset())


def required_of(application: Application) -> frozenset[AttachmentKind]:
    """The kinds required of an application as it stands; once submitted, no later wish of the province touches it."""
    session, further = object_session(application), None
    if session is not None and application.status in workflow.EDITABLE:
        further = provinces.further_kinds(session).get(application.province or "")
    return required_kinds(application.filing, further)


def lacking(application: Application) -> dict[str, str]:
    """What keeps it from being declared: field → sentence; what is missing, and what could not be printed."""
    return application.missing(required_of(application)) | certificate.unprintable(application)


def check_complete(session: Session, application: Application, by: Account) -> None:
    """Raises Incomplete or Refused; for a locked row, whose carriers and files are read from the database again."""
    typed_form.check_nothing_unsaved(session, application, by)
    session.expire(application, ["carriers"])
    reread_files(session, application)
    if missing := lacking(application):
        raise Incomplete(missing)
    assert_may_apply(session, by, application.publisher_id)
    envelope.check_sendable(application)
