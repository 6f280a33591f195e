"""撤回: the applicant takes an application back until the province has opened it (not in the manual)."""

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import clock, workflow
from models.application import Application, trail
from models.database import NO_SYNC
from models.deadlines.provinces import settings_of
from models.vocabulary import Action


def hindrance(session: Session, application: Application) -> str | None:
    """The refusal of 撤回 for this application; None: it may be withdrawn.

    An application that was returned once cannot be withdrawn: the province would lose sight of it. `opened_at` is read
    from the database again, because the province may have opened the application since this session read it.
    """
    names = {"number": application.number, "authority": application.authority or _("省级主管部门")}
    opened = session.scalar(select(Application.opened_at).where(Application.id == application.id))
    if opened is not None:
        when = opened.strftime("%Y-%m-%d %H:%M")
        return _("%(authority)s已于 %(when)s 打开 %(number)s，不能撤回；需要修改时请与其联系。", when=when, **names)
    settings = settings_of(session, application.province)
    if settings is not None and not settings.withdrawal_allowed:
        return _("%(authority)s没有开放撤回，%(number)s 不能撤回；需要修改时请与其联系。", **names)
    if trail.newest(session, application.id, Action.RETURN, 1):
        return _("%(number)s 曾被退回，再次申报后不能撤回；需要修改时请与%(authority)s联系。", **names)
    return None


def note_opening(session: Session, application: Application) -> None:
    """Record that the province has opened a pending application, which ends 撤回. The caller commits.

    Expires the row, which may have been withdrawn, and so be invisible, a moment before. Makes no new version, so that
    no open form conflicts.
    """
    if application.status not in workflow.AWAITING or application.opened_at is not None:
        return
    opened = update(Application).where(
        Application.id == application.id,
        Application.status.in_(workflow.AWAITING),
        Application.opened_at.is_(None),
    )
    session.execute(opened.values(opened_at=clock.now()), **NO_SYNC)
    session.expire(application)
