"""Row lock and version check on an application; the error names who was first."""

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from models.application import Application, trail
from models.database import NO_SYNC
from models.vocabulary import Status
from models.workflow import QUIET, Act, Refused


class Conflict(Refused):
    """Somebody else was first; `str()` says who, when and what."""


def lock_or_roll_back(session: Session, application: Application, act: Act, version: int | None = None) -> Status:
    """Lock the row if its status still allows the act and it still has `version` (None: any); returns the status.

    Otherwise rolls back and raises Conflict. Makes no new version, so that uploads do not conflict with an open form.
    Reads the newest seal, too, which the next trail entry follows.
    """
    key = application.id  # read now: after a rollback the row may be hidden
    locking = update(Application).where(Application.id == key, Application.status.in_(act.when | act.if_rejected))
    if version is not None:
        locking = locking.where(Application.version == version)
    locking = locking.values(changed_at=Application.changed_at).returning(Application.last_seal)
    locked = session.execute(locking, **NO_SYNC).first()
    if locked is None:
        session.rollback()
        raise Conflict(overtaken(session, session.get(Application, key)))
    set_committed_value(application, "last_seal", locked.last_seal)
    return application.status


def flush_or_roll_back(session: Session, application: Application) -> None:
    """Flush the session, which locks the row; rolls back and raises Conflict when its version has changed."""
    key = application.id
    try:
        session.flush()
    except StaleDataError:
        session.rollback()
        current = session.get(Application, key)
        raise Conflict(overtaken(session, current)) from None
    session.expire(application, ["last_seal"])  # uploads, which make no version, may have added entries


def overtaken(session: Session, application: Application | None) -> str:
    """The sentence of a conflict: who was first, when, and what they did; then the answer of customs, if it came since.

    Customs may answer within a second of 准予备案: its receipt alone would not say which colleague has decided.
    """
    person = application and _newest(session, application, trail.TrailEntry.actor_id.is_not(None))
    if not application or not person:
        return _("这份申请已被他人办理，请返回列表查看。")
    last = _newest(session, application) or person
    facts = {
        "who": person.actor_name,
        "when": person.at.strftime("%Y-%m-%d %H:%M"),
        "what": person.what.label,
        "status": application.status.label,
    }
    if last.id == person.id:
        return _(
            "%(who)s已于 %(when)s %(what)s，当前状态为「%(status)s」。您的操作没有保存，也没有覆盖已有的内容。", **facts
        )
    return _(
        "%(who)s已于 %(when)s %(what)s，此后收到%(receipt)s，当前状态为「%(status)s」。"
        "您的操作没有保存，也没有覆盖已有的内容。",
        **facts,
        receipt=last.what.label,
    )


def _newest(session: Session, application: Application, *of: ColumnElement[bool]) -> trail.TrailEntry | None:
    """The newest entry, of those that make a new version and meet these conditions."""
    quiet = [word.value for word in QUIET]
    entries = select(trail.TrailEntry).where(
        trail.TrailEntry.application_id == application.id, trail.TrailEntry.act.not_in(quiet), *of
    )
    return session.scalar(entries.order_by(trail.TrailEntry.id.desc()).limit(1))
