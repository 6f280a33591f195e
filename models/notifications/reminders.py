"""Messages that no act brings about: a deadline is near, an entrustment has ended, an announcement has begun.

A worker calls remind() now and then; whatever was told before is not told again.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, true
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock, workflow
from models.application import Application
from models.codes import names_of
from models.customs import heartbeat
from models.database import is_unavailable
from models.deadlines import calendar
from models.deadlines.counting import NEAR
from models.notifications import entrustments, letters, tell, tell_accounts
from models.notifications.announcements import Announcement, current
from models.notifications.events import Event
from models.people.accounts import Account, Entrustment
from models.vocabulary import Role

LOG = logging.getLogger(__name__)
LATELY = timedelta(days=7)  # an entrustment that ended before is no news
SILENT = timedelta(minutes=15)  # after which whoever reminds every minute is assumed dead
PAGE = 200  # applications that are read and told of in one transaction


def remind(session: Session) -> None:
    """Tell what is due today, for a session that sees everything. Commits each step, then that there was a round.

    A step that fails is logged, and does not keep the others from theirs. Raises SQLAlchemyError while the database
    cannot be used at all.
    """
    failed = []
    for label, look in STEPS.items():
        try:
            look(session)
            session.commit()
        except IntegrityError:  # another worker was first
            session.rollback()
        except Exception as broken:
            session.rollback()
            if isinstance(broken, SQLAlchemyError) and is_unavailable(broken):
                raise
            LOG.error("a step of the reminders failed: %s", look.__name__, exc_info=broken)
            failed.append(str(label))
    heartbeat.record_round(session, heartbeat.REMINDER, "、".join(failed))


def problems(session: Session) -> list[str]:
    """The words for /healthz: `reminders` (whoever did remind has stopped), `reminders_failed` (in the last round)."""
    last = heartbeat.last_round(session, heartbeat.REMINDER)
    if last is None:
        return []
    signs = {"reminders": abs(clock.now() - last[0]) > SILENT, "reminders_failed": bool(last[1])}
    return [word for word, found in signs.items() if found]


def remind_of_deadlines(session: Session) -> None:
    """Once for each due date, when it is NEAR or has passed. Commits page by page: there may be many overdue cases."""
    soon, last = calendar.load(session).after(clock.today(), NEAR), 0
    waits = select(Application).where(
        Application.desk.in_(list(names_of("province"))),  # for the index
        Application.status.in_(workflow.AWAITING),
        Application.due_on <= soon,
    )
    while page := session.scalars(waits.where(Application.id > last).order_by(Application.id).limit(PAGE)).all():
        last = page[-1].id
        for row in page:
            tell(session, row, Event.DUE_SOON, f"due-{row.id}-{row.due_on}", str(row.due_on))
        session.commit()
        session.expunge_all()


def tell_of_ended_entrustments(session: Session) -> None:
    today = clock.today()
    ended = select(Entrustment).where(
        Entrustment.until < today,
        Entrustment.until >= today - LATELY,
        Entrustment.ended_at.is_(None),  # else both were told when it was ended
        ~Entrustment.pending,
    )
    for pair in session.scalars(ended.order_by(Entrustment.id)).all():
        key = f"ended-{pair.id}-{pair.publisher_id}-{pair.agent_id}-{pair.until}"
        entrustments.tell_both(session, Event.ENTRUSTMENT_ENDED, pair, key)


def announce(session: Session, only: int | None = None) -> None:
    """Messages for whoever should see a current announcement (`only`: of this id) and has none yet: accounts made
    later, too. For a session that sees everything; the caller commits."""
    these = Announcement.id == only if only is not None else true()
    for role in Role:
        for key in session.scalars(select(Announcement.id).where(current(role), these)).all():
            here = Account.role == role
            tell_accounts(session, here, Event.ANNOUNCED, f"announcement-{key}", announcement_id=key)


STEPS: dict[Any, Callable[[Session], None]] = {
    _l("办结期限提醒"): remind_of_deadlines,
    _l("委托到期通知"): tell_of_ended_entrustments,
    _l("通知公告"): announce,
    _l("每日汇总邮件"): letters.enqueue_digests,
}
