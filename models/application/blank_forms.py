"""空白表格: empty forms that operators publish, to be filled in and uploaded; at most one for a kind of attachment.

The caller commits. Replacing or removing a form deletes its row; the next sweep deletes its bytes.
"""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock, log
from models.application import known_viruses
from models.application.attachments import Stored, with_ending
from models.application.file_names import clean_name
from models.clock import Moment
from models.database import Base
from models.database.versions import flush_or_refuse, unrepeated
from models.log import Operation, Place
from models.people.accounts import Account
from models.vocabulary import AttachmentKind, WordColumn
from models.workflow import Refused

ACCEPTED = "application/pdf"  # not the pictures that inspection accepts: a form is filled in


class BlankForm(Base):
    """Row security: every account reads, operators write."""

    __tablename__ = "blank_form"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    kind: Mapped[AttachmentKind] = mapped_column(
        WordColumn(AttachmentKind), unique=True, info={"label": _l("附件种类")}
    )
    name: Mapped[str] = mapped_column(String(255), info={"label": _l("文件名")})
    size: Mapped[int] = mapped_column(info={"label": _l("大小")})
    digest: Mapped[str] = mapped_column(String(64), index=True)
    uploaded_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("上传时间")})
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))

    __mapper_args__ = {"version_id_col": version, "version_id_generator": unrepeated}


def listed(session: Session) -> dict[AttachmentKind, BlankForm]:
    """All forms, in the order of the kinds."""
    found = {row.kind: row for row in session.scalars(select(BlankForm))}
    return {kind: found[kind] for kind in AttachmentKind if kind in found}


def save(session: Session, kind: AttachmentKind, version: int, stored: Stored, name: str, by: Account) -> BlankForm:
    """Add or replace the form of a kind; its bytes are inspected and in the store already.

    `version`: of the form that the page showed, 0 for none; raises Refused when it is another one by now (after a
    rollback, if another save was at the same time), and for bytes in which a virus was found before.
    """
    known_viruses.refuse_upload(session, stored.digest, name)
    if stored.media_type != ACCEPTED:
        raise Refused(_("空白表格须为 PDF 文件，请转换格式后上传。"))
    row = listed(session).get(kind)
    _check_version(row, version)
    row = row or BlankForm(kind=kind)
    row.name, row.size, row.digest = with_ending(clean_name(name), stored.media_type), stored.size, stored.digest
    row.uploaded_at, row.uploaded_by = clock.now(), by.id
    session.add(row)
    if stored.scanned:  # blank forms have no column for it
        log.record(session, Operation.FILE_SCANNED, by, Place(), stored.digest, words=known_viruses.NO_VIRUS)
    flush_or_refuse(session, _changed())
    return row


def refuse_infected(session: Session, form: BlankForm) -> None:
    """Raises Refused for a form in whose content a virus was found since it was uploaded."""
    if virus := known_viruses.virus_in(session, form.digest):
        words = _("空白表格“%(name)s”查出病毒（%(virus)s），不能下载，请联系系统管理员更换。")
        raise Refused(words % {"name": form.name, "virus": virus})


def remove(session: Session, kind: AttachmentKind, version: int) -> str:
    """Delete the form of a kind, and return its name; `version` as in save(). Raises Refused."""
    row = listed(session).get(kind)
    if row is None:
        raise Refused(_changed())
    _check_version(row, version)
    session.delete(row)
    flush_or_refuse(session, _changed())
    return row.name


def _check_version(row: BlankForm | None, version: int) -> None:
    if (row.version if row else 0) != version:
        raise Refused(_changed())


def _changed() -> str:
    return _("这份空白表格刚刚已被他人更换或移除，您的操作没有保存，请核对后再试。")
