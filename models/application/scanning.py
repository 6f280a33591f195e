"""Scans files that were uploaded while no scanner was set, and clean files again, because scanners learn new viruses.

Attachments first, then blank forms. One content at a time; can be stopped and run again.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import NamedTuple, TypeVar

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import clock, log
from models.application import known_viruses
from models.application.attachments import Attachment, Store
from models.application.blank_forms import BlankForm
from models.application.known_viruses import NO_VIRUS as NO_VIRUS
from models.application.known_viruses import KnownVirus
from models.database import NO_SYNC
from models.files.virus import Scanner
from models.log import LogEntry, Operation, Place
from models.workflow import Refused

MOST = 10_000  # files counted or listed
Row = TypeVar("Row", Attachment, BlankForm)


class Scanned(NamedTuple):
    """The result for one file. `virus`: the name of the virus, "" for none; None: the file is not in the store."""

    file: Attachment | BlankForm
    virus: str | None


def count_unscanned(session: Session) -> int:
    """The number of attachments not scanned yet, counted up to MOST."""
    return _counted(session, Attachment.scanned_at.is_(None))


def count_unscanned_forms(session: Session) -> int:
    """The number of blank forms of whose content no scan is known."""
    known = exists().where(KnownVirus.digest == BlankForm.digest)
    return session.scalar(select(func.count(BlankForm.id)).where(~_logged(BlankForm.digest, None), ~known)) or 0


def count_infected(session: Session) -> int:
    """The number of files with a virus, counted up to MOST."""
    return _counted(session, Attachment.virus.is_not(None))


def infected_files(session: Session) -> Sequence[Attachment]:
    """Files with a virus, oldest first, at most MOST."""
    return session.scalars(
        select(Attachment).where(Attachment.virus.is_not(None)).order_by(Attachment.id).limit(MOST)
    ).all()


def infected_forms(session: Session) -> list[tuple[BlankForm, str]]:
    """Blank forms in whose content a virus was found, oldest first, each with its name."""
    known = select(BlankForm, KnownVirus.virus).join(KnownVirus, KnownVirus.digest == BlankForm.digest)
    return [(form, virus) for form, virus in session.execute(known.order_by(BlankForm.id))]


def refuse_infected(session: Session, file: Attachment) -> None:
    """Raises Refused for a file in which a virus was found: it is stored as evidence, and nobody may download it.

    Also for one that is not marked yet: it may have been uploaded while a scan marked the others of its content.
    """
    if virus := file.virus or known_viruses.virus_in(session, file.digest):
        raise Refused(
            _(
                "附件“%(name)s”查出病毒（%(virus)s），不能打开或下载，请由申请人清除后重新提供。",
                name=file.name,
                virus=virus,
            )
        )


def _counted(session: Session, rule: ColumnElement[bool]) -> int:
    some = select(Attachment.id).where(rule).limit(MOST).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def scan_all(
    session: Session, store: Store, scanner: Scanner, again_before: datetime | None = None
) -> Iterator[Scanned]:
    """Scan unscanned files, oldest first; commits after each. Raises ScannerAway: run it again later.

    `again_before`: also clean files whose last scan was before this moment. A file that the store does not have stays
    as it is. For a session that sees everything. Each content gets a log entry: without it a trigger refuses to mark
    files as scanned. A blank form has no mark: the log alone shows that it was scanned.
    """
    unscanned_yet = Attachment.scanned_at.is_(None)
    due = unscanned_yet if again_before is None else or_(unscanned_yet, _clean_before(again_before))
    known = exists().where(KnownVirus.digest == BlankForm.digest)
    due_forms = and_(~_logged(BlankForm.digest, again_before), ~known)
    files: Iterator[Attachment | BlankForm]
    files = chain(_one_by_one(session, Attachment, due), _one_by_one(session, BlankForm, due_forms))
    for file in files:
        yield _scan_and_commit(session, store, scanner, file)


def _one_by_one(session: Session, model: type[Row], due: ColumnElement[bool]) -> Iterator[Row]:
    """The rows that are due, oldest first, each read when it is its turn: by then others may have changed or gone."""
    last, waiting = 0, select(model).where(due).order_by(model.id).limit(1)
    while row := session.scalar(waiting.where(model.id > last)):
        last = row.id
        yield row


def _scan_and_commit(session: Session, store: Store, scanner: Scanner, file: Attachment | BlankForm) -> Scanned:
    try:
        virus = _scan(store, scanner, file.digest) or ""
    except FileNotFoundError:
        return Scanned(file, None)
    _record(session, file.digest, virus[:60])
    session.commit()
    return Scanned(file, virus)


def _clean_before(moment: datetime) -> ColumnElement[bool]:
    """Clean files not scanned since `moment`; `scanned_at` is the time of the first scan, later ones are in the log."""
    since = _logged(Attachment.digest, moment)
    return and_(Attachment.virus.is_(None), Attachment.scanned_at < moment, ~since)


def _logged(digest: InstrumentedAttribute[str], since: datetime | None) -> ColumnElement[bool]:
    """Whether the log has a scan of this content; `since`: of this moment or later."""
    kind = (LogEntry.log == "operations", LogEntry.kind == Operation.FILE_SCANNED.value)
    logged = exists().where(*kind, LogEntry.about == digest)
    return logged if since is None else logged.where(LogEntry.at >= since)


def _record(session: Session, digest: str, virus: str) -> None:
    """Log the result for a content, and mark its files. `virus`: "" for nothing found.

    A virus is marked also where an earlier scan found nothing, because scanners learn new viruses.
    """
    if virus:
        virus = known_viruses.remember(session, digest, virus)
    log.record(session, Operation.FILE_SCANNED, None, Place(), digest, words=virus or NO_VIRUS)
    session.flush()
    unmarked = Attachment.virus.is_(None) if virus else Attachment.scanned_at.is_(None)
    same = update(Attachment).where(Attachment.digest == digest, unmarked)
    session.execute(same.values(scanned_at=clock.now(), virus=virus or None), **NO_SYNC)


def _scan(store: Store, scanner: Scanner, digest: str) -> str | None:
    with store.open(digest) as stored, NamedTemporaryFile() as copy:
        copyfileobj(stored, copy)
        copy.flush()
        return scanner.scan(Path(copy.name))
