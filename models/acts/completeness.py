"""申报: what an application still lacks."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import certificate
from models.application import Application, typed_form
from models.application.attachments import reread_files
from models.customs import envelope
from models.people.accounts import Account, publishers_for
from models.workflow import Refused


class Incomplete(Refused):
    """申报 lacks something: `missing` maps the field to its sentence."""

    def __init__(self, missing: dict[str, str]) -> None:
        super().__init__(_("还有 %(count)s 项没有完成，暂不能申报。", count=len(missing)))
        self.missing = missing


def lacking(application: Application) -> dict[str, str]:
    """What keeps it from being declared: field → sentence; what is missing, and what could not be printed."""
    return application.missing() | certificate.unprintable(application)


def check_complete(session: Session, application: Application, by: Account) -> None:
    """Raises Incomplete or Refused; for a locked row, whose carriers and files are read from the database again."""
    typed_form.check_nothing_unsaved(session, application, by)
    session.expire(application, ["carriers"])
    reread_files(session, application)
    if missing := lacking(application):
        raise Incomplete(missing)
    if application.publisher_id not in {press.id for press in publishers_for(session, by.organisation_id)}:
        raise Refused(_("贵单位目前没有受该出版单位委托，不能为其申报，请核对委托期限。"))
    envelope.check_sendable(application)
