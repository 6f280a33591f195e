"""Compares attachments with their bytes in the store."""

from collections.abc import Iterator
from itertools import groupby

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application
from models.application.attachments import Attachment, Store

BATCH = 1000  # rows in memory at a time


def contradictions(session: Session, store: Store) -> Iterator[str]:
    """Yield a sentence for each attachment whose bytes are missing or changed; reads every file once."""
    columns = (Attachment.digest, Attachment.size, Attachment.name, Application.number)
    files = select(*columns).join(Attachment.application).order_by(Attachment.digest, Attachment.id)
    rows = session.execute(files.execution_options(yield_per=BATCH))
    for digest, same in groupby(rows, lambda row: row.digest):
        size = _size(store, digest)
        for row in same:
            if row.size != size:
                words = {"number": row.number, "name": row.name}
                yield _("申请 %(number)s 的附件“%(name)s”缺失或与登记的摘要不符。") % words


def _size(store: Store, digest: str) -> int | None:
    """The number of stored bytes; None when they are missing or have another digest."""
    try:
        with store.open(digest) as file:
            return file.seek(0, 2)
    except (FileNotFoundError, ValueError):  # ValueError: the registered value is not a digest
        return None
