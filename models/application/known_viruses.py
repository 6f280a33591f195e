"""Contents in which a virus was found, by SHA-256: known to everybody, also while no scanner runs."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, String, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.application import Application
from models.application.attachments import Attachment
from models.clock import Moment
from models.database import Base
from models.language import listed
from models.workflow import Refused

NO_VIRUS = "没有问题"  # what the log says of a content without a virus


class KnownVirus(Base):
    """A virus found in a content, and when it was found first. Append-only; scans add rows (scanning.py)."""

    __tablename__ = "known_virus"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    virus: Mapped[str] = mapped_column(String(60))
    found_at: Mapped[datetime] = mapped_column(Moment)


def remember(session: Session, digest: str, virus: str) -> str:
    """Remember that this content has a virus; returns the name that was found first. The caller commits."""
    known = session.get(KnownVirus, digest)
    if known is None:
        known = KnownVirus(digest=digest, virus=virus, found_at=clock.now())
        session.add(known)
    return known.virus


def virus_in(session: Session, digest: str) -> str | None:
    """The virus found in this content before; None: no virus is known."""
    known = session.get(KnownVirus, digest)
    return known.virus if known else None


def refuse_upload(session: Session, digest: str, name: str) -> None:
    """Raises Refused for an upload in whose content a virus was found before, as if a scanner had found it now."""
    if virus := virus_in(session, digest):
        raise Refused(
            _(
                "文件“%(name)s”的内容以前查出过病毒（%(virus)s），没有上传，请清除后重新生成文件。",
                name=name,
                virus=virus,
            )
        )


def _infected(*columns: Any) -> Select[Any]:
    """These columns of current files that have a virus, marked on the file itself or known of its content."""
    files = select(*columns).outerjoin(KnownVirus, KnownVirus.digest == Attachment.digest)
    return files.where(
        Attachment.removed_at.is_(None), or_(Attachment.virus.is_not(None), KnownVirus.digest.is_not(None))
    )


def infected(session: Session, application: Application) -> list[tuple[Attachment, str]]:
    """The current files of an application that have a virus, oldest first, with what was found in each."""
    files = _infected(Attachment, func.coalesce(Attachment.virus, KnownVirus.virus))
    of_application = files.where(Attachment.application_id == application.id).order_by(Attachment.id)
    return [(file, found) for file, found in session.execute(of_application)]


def applications_with_virus(session: Session, keys: Collection[int]) -> set[int]:
    """Which of these applications have a current file with a virus; one query."""
    found = _infected(Attachment.application_id).where(Attachment.application_id.in_(keys)).distinct()
    return set(session.scalars(found)) if keys else set()


def hindrance_to_grant(session: Session, application: Application) -> str | None:
    """The sentence that refuses 准予备案 of an application with an infected file; None: no virus is known."""
    files = infected(session, application)
    if not files:
        return None
    names = listed(_("“%(name)s”（%(virus)s）", name=file.name, virus=virus) for file, virus in files)
    words = _("%(number)s 的附件%(files)s查出病毒，不能准予备案，请退回申请人，由其移除后重新上传。")
    return words % {"number": application.number, "files": names}
