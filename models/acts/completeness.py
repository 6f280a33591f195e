"""申报: what an application still lacks."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session, object_session

from models import certificate, workflow
from models.acts.doubts import province_today
from models.application import Application, known_viruses, typed_form
from models.application.attachments import reread_files
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
    """The required kinds of attachments: those of the vocabulary, and those that the province adds."""
    return frozenset(kind for kind in AttachmentKind if kind.required(filing)) | (further or frozenset())


def required_of(application: Application) -> frozenset[AttachmentKind]:
    """The kinds required of this application; settings that the province changes after 申报 do not count."""
    session, further = object_session(application), None
    if session is not None and application.status in workflow.EDITABLE:
        further = provinces.further_kinds(session).get(province_today(session, application) or "")
    return required_kinds(application.filing, further)


def lacking(application: Application) -> dict[str, str]:
    """What prevents 申报: field → sentence, for what is missing, could not be printed, or has a virus."""
    lacking = application.missing(required_of(application)) | certificate.unprintable(application)
    return lacking | _infected(application)


def _infected(application: Application) -> dict[str, str]:
    """Field → a sentence on the files of a kind in which a virus was found."""
    session = object_session(application)
    sentences: dict[str, str] = {}
    for file, virus in known_viruses.infected(session, application) if session else ():
        words = _("附件“%(name)s”查出病毒（%(virus)s），请移除，清除病毒后重新生成文件上传。")
        field = f"file-{file.kind}"
        sentences[field] = sentences.get(field, "") + words % {"name": file.name, "virus": virus}
    return sentences


def check_complete(session: Session, application: Application, by: Account) -> None:
    """Raises Incomplete or Refused. The row must be locked; its carriers and files are read from the database again."""
    typed_form.check_all_saved(session, application, by)
    session.expire(application, ["carriers"])
    reread_files(session, application)
    if missing := lacking(application):
        raise Incomplete(missing)
    assert_may_apply(session, by, application.publisher_id)
    from models.customs import envelope  # imports lxml

    envelope.check_sendable(application)
