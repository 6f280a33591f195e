"""Scans files that were uploaded while no scanner was set, one content at a time; can be stopped and run again."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from models import clock, log
from models.application import known_viruses
from models.application.attachments import Attachment, Store
from models.database import NO_SYNC
from models.files.virus import Scanner
from models.log import Operation, Place
from models.workflow import Refused

MOST = 10_000  # files counted or listed
NOTHING = "没有问题"  # what the log says of a content without a virus


class Scanned(NamedTuple):
    """The result for one file. `virus`: the name of the virus, "" for none; None: the file is not in the store."""

    file: Attachment
    virus: str | None


def unscanned(session: Session) -> int:
    """The number of files not scanned yet, counted up to MOST."""
    return _counted(session, Attachment.scanned_at.is_(None))


def infected(session: Session) -> int:
    """The number of files with a virus, counted up to MOST."""
    return _counted(session, Attachment.virus.is_not(None))


def infected_files(session: Session) -> Sequence[Attachment]:
    """Files with a virus, oldest first, at most MOST."""
    return session.scalars(
        select(Attachment).where(Attachment.virus.is_not(None)).order_by(Attachment.id).limit(MOST)
    ).all()


def refuse_infected(file: Attachment) -> None:
    """Raises Refused for a file in which a virus was found: it is stored as evidence, and nobody may download it."""
    if file.virus is not None:
        raise Refused(
            _(
                "附件“%(name)s”查出病毒（%(virus)s），不能打开或下载，请由申请人清除后重新提供。",
                name=file.name,
                virus=file.virus,
            )
        )


def _counted(session: Session, rule: ColumnElement[bool]) -> int:
    some = select(Attachment.id).where(rule).limit(MOST).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def scan_all(session: Session, store: Store, scanner: Scanner) -> Iterator[Scanned]:
    """Scan unscanned files, oldest first; commits after each. Raises ScannerAway: run it again later.

    A file that the store does not have stays unscanned. For a session that sees everything. The log has an entry for
    each content, without which a trigger lets nobody mark its files as scanned.
    """
    last = 0
    waiting = select(Attachment).where(Attachment.scanned_at.is_(None)).order_by(Attachment.id).limit(1)
    while file := session.scalar(waiting.where(Attachment.id > last)):
        last = file.id
        try:
            virus = _scan(store, scanner, file.digest) or ""
        except FileNotFoundError:
            yield Scanned(file, None)
            continue
        _record(session, file.digest, virus[:60])
        session.commit()
        yield Scanned(file, virus)


def _record(session: Session, digest: str, virus: str) -> None:
    """Log the result for a content, and mark its files. `virus`: "" for nothing found.

    A virus is marked also where an earlier scan found nothing: what is searched for grows.
    """
    if virus:
        virus = known_viruses.remember(session, digest, virus)
    log.record(session, Operation.FILE_SCANNED, None, Place(), digest, words=virus or NOTHING)
    session.flush()
    unmarked = Attachment.virus.is_(None) if virus else Attachment.scanned_at.is_(None)
    same = update(Attachment).where(Attachment.digest == digest, unmarked)
    session.execute(same.values(scanned_at=clock.now(), virus=virus or None), **NO_SYNC)


def _scan(store: Store, scanner: Scanner, digest: str) -> str | None:
    with store.open(digest) as stored, NamedTemporaryFile() as copy:
        copyfileobj(stored, copy)
        copy.flush()
        return scanner.scan(Path(copy.name))
