"""Marks of virus scans on attachments, compared with the log, which is only appended and covered by checkpoints."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from models.application import Application
from models.application.attachments import Attachment
from models.application.known_viruses import KnownVirus
from models.application.scanning import NO_VIRUS
from models.log import LogEntry, Operation

BATCH = 1000  # rows in memory at a time
AT_UPLOAD = timedelta(minutes=1)  # a scan at the upload is no later than that
LOGGED = and_(LogEntry.log == "operations", LogEntry.kind == Operation.FILE_SCANNED.value)


def contradictions(session: Session) -> Iterator[str]:
    """Yield a sentence for each attachment whose mark, or each content whose known virus, is not what the log says."""
    for number, name in session.execute(_marked_otherwise()):
        yield _("申请 %(number)s 的附件“%(name)s”的查毒结果与日志不符。", number=number, name=name)
    for number, name, scanned_at, uploaded_at in session.execute(_clean_without_entry()):
        if scanned_at and scanned_at > uploaded_at + AT_UPLOAD:
            yield _("申请 %(number)s 的附件“%(name)s”标为已查毒，但日志中没有。", number=number, name=name)
    in_log = exists().where(LOGGED, LogEntry.about == KnownVirus.digest, LogEntry.words == KnownVirus.virus)
    for digest in session.scalars(select(KnownVirus.digest).where(~in_log)):
        yield _("内容摘要 %(digest)s 登记为有病毒，但日志中没有。", digest=digest)
    registered = exists().where(KnownVirus.digest == LogEntry.about)
    for digest in session.scalars(select(LogEntry.about).where(LOGGED, LogEntry.words != NO_VIRUS, ~registered)):
        yield _("日志记有内容摘要 %(digest)s 查出病毒，但没有登记。", digest=digest)


def unproven(session: Session) -> int:
    """How many attachments are marked as scanned at their upload, for which the log has no entry."""
    return session.scalar(_clean_without_entry().with_only_columns(func.count(Attachment.id)).order_by(None)) or 0


def _marked_otherwise() -> Select[str, str]:
    """Files with a virus that the log does not have, and scanned files of a content in which it has one."""
    found = exists().where(LOGGED, LogEntry.about == Attachment.digest, LogEntry.words == Attachment.virus)
    other = exists().where(LOGGED, LogEntry.about == Attachment.digest, LogEntry.words != NO_VIRUS)
    wrong = or_(and_(Attachment.virus.is_not(None), ~found), and_(Attachment.virus.is_(None), other))
    columns = select(Application.number, Attachment.name).join(Attachment.application)
    return columns.where(wrong, Attachment.scanned_at.is_not(None)).order_by(Attachment.id)


def _clean_without_entry() -> Select[str, str, datetime | None, datetime]:
    """Files that are marked as scanned without a virus, of contents that the log does not name."""
    logged = exists().where(LOGGED, LogEntry.about == Attachment.digest)
    columns = select(Application.number, Attachment.name, Attachment.scanned_at, Attachment.uploaded_at)
    clean = columns.join(Attachment.application).where(Attachment.scanned_at.is_not(None), Attachment.virus.is_(None))
    return clean.where(~logged).order_by(Attachment.id).execution_options(yield_per=BATCH)
