"""Compares the content of applications with the digests that the trail recorded at 申报 and later changes."""

from collections.abc import Iterator
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application, fingerprint
from models.application.trail import TrailEntry
from models.vocabulary import Action
from models.workflow import USES

OF_SOMETHING_ELSE = [Action.GRANT.value, *(step.value for step in USES)]  # their digest is not of the content
SOON = timedelta(minutes=1)  # between the two times that the transaction of 删除 sets


def contradictions(session: Session) -> Iterator[str]:
    """Yield a sentence for each application whose content or newest entry differs from the recorded one."""
    of_application = (TrailEntry.application_id == Application.id, TrailEntry.act.not_in(OF_SOMETHING_ELSE))
    recorded = select(TrailEntry.digest).where(*of_application, TrailEntry.digest.is_not(None))
    newest = select(TrailEntry.seal).where(TrailEntry.application_id == Application.id)
    removed = select(TrailEntry.at).where(of_application[0], TrailEntry.act == Action.DELETE.value)
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
