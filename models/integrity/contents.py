"""What an application says now, and what the trail recorded when it was submitted, or last changed."""

from collections.abc import Iterator
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application, fingerprint
from models.application.trail import TrailEntry
from models.vocabulary import Action

SOON = timedelta(minutes=1)  # within which the transaction of 删除 stamps both of its times


def contradictions(session: Session) -> Iterator[str]:
    """Yield a sentence for each application whose content, or newest entry, is not the recorded one."""
    mine = (TrailEntry.application_id == Application.id, TrailEntry.act != Action.GRANT.value)
    recorded = select(TrailEntry.digest).where(*mine, TrailEntry.digest.is_not(None))
    newest = select(TrailEntry.seal).where(TrailEntry.application_id == Application.id)
    removed = select(TrailEntry.at).where(mine[0], TrailEntry.act == Action.DELETE.value)
    entries = [each.order_by(TrailEntry.id.desc()).limit(1).scalar_subquery() for each in (recorded, newest, removed)]
    columns = (Application.id, Application.number, Application.last_seal, Application.deleted_at, *entries)
    rows = session.execute(select(*columns).order_by(Application.id).execution_options(yield_per=fingerprint.BATCH))
    for row, (key, digest) in zip(rows, fingerprint.of_all(session), strict=True):
        _id, number, last_seal, deleted_at, content, seal, deletion = row
        assert key == _id
        if content is not None and content != digest:
            yield _("申请 %(number)s 的内容、载体或附件与申报时的记录不符。", number=number)
        if last_seal != seal:
            yield _("申请 %(number)s 最后的办理记录缺失或被改动。", number=number)
        if deleted_at is not None and deletion is not None and abs(deleted_at - deletion) > SOON:
            yield _("申请 %(number)s 的删除时间与删除记录不符。", number=number)
