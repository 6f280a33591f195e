"""空白表格: the forms that operators offer to be filled in and uploaded, one for each kind of attachment at most.

The caller commits. What is replaced or removed leaves the register, and its bytes the store at the next sweep.
"""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from models import clock
from models.application.attachments import Stored, named
from models.application.file_names import clean_name
from models.clock import Moment
from models.database import Base
from models.people.accounts import Account
from models.vocabulary import AttachmentKind, WordColumn
from models.workflow import Refused

ACCEPTED = "application/pdf"  # of what inspection lets in: nobody fills in a picture


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

    __mapper_args__ = {"version_id_col": version}


def listed(session: Session) -> dict[AttachmentKind, BlankForm]:
    """What is offered, in the order of the kinds."""
    found = {row.kind: row for row in session.scalars(select(BlankForm))}
    return {kind: found[kind] for kind in AttachmentKind if kind in found}


def keep(session: Session, kind: AttachmentKind, seen: int, stored: Stored, name: str, by: Account) -> BlankForm:
    """The row that names bytes which the store holds already, inspected; in place of the one seen as version `seen`.

    `seen` is 0 for none. Raises Refused.
    """
    if stored.media_type != ACCEPTED:
        raise Refused(_("空白表格须为 PDF 文件，请转换格式后上传。"))
    row = listed(session).get(kind)
    _check_seen(row, seen)
    row = row or BlankForm(kind=kind)
    row.name, row.size, row.digest = named(clean_name(name), stored.media_type), stored.size, stored.digest
    row.uploaded_at, row.uploaded_by = clock.now(), by.id
    session.add(row)
    _flush(session)
    return row


def remove(session: Session, kind: AttachmentKind, seen: int) -> str:
    """Offer none of this kind any more; the name of the one seen as version `seen`. Raises Refused."""
    row = listed(session).get(kind)
    if row is None:
        raise Refused(_changed())
    _check_seen(row, seen)
    session.delete(row)
    _flush(session)
    return row.name


def _check_seen(row: BlankForm | None, seen: int) -> None:
    if (row.version if row else 0) != seen:
        raise Refused(_changed())


def _flush(session: Session) -> None:
    try:
        session.flush()
    except StaleDataError:
        session.rollback()
        raise Refused(_changed()) from None


def _changed() -> str:
    return _("这份空白表格刚刚已被他人更换或移除，您的操作没有保存，请核对后再试。")
