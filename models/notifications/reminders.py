"""Messages caused by a date and not by an act: near deadlines, ended entrustments, new announcements.

A worker calls remind() repeatedly; each message is sent once.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
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
from models.notifications import entrustments, key_ends, letters, notify, notify_accounts
from models.notifications.announcements import Announcement, current
from models.notifications.events import Event
from models.people.accounts import Account, Entrustment
from models.signing.keys import Keys
from models.vocabulary import Role

LOG = logging.getLogger(__name__)
LATELY = timedelta(days=7)  # after its end, in which the end of an entrustment is reported
SILENT = timedelta(minutes=15)  # without a round after which the worker, which runs every minute, is assumed dead
PAGE = 200  # applications in one transaction


def remind(session: Session, keys: Keys | None = None) -> None:
    """Run every step for today, for a session that sees everything. Commits each step, then the heartbeat.

    `keys`: those of the authorities, checked for their expiry. A failing step is logged and does not stop the others.
    Raises SQLAlchemyError while the database is unavailable.
    """
    failed = []
    for label, look in (STEPS | steps_of(keys)).items():
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


def problems(last: tuple[datetime, str] | None) -> list[str]:
    """Words of /healthz: `reminders` (no worker runs any more), `reminders_failed` (in the last round).

    `last`: the last round, as heartbeat.last_round().
    """
    if last is None:
        return []
    signs = {"reminders": abs(clock.now() - last[0]) > SILENT, "reminders_failed": bool(last[1])}
    return [word for word, found in signs.items() if found]


def remind_of_deadlines(session: Session) -> None:
    """Notify once of each due date that is NEAR or has passed. Commits page by page: there may be many."""
    soon, last = calendar.load(session).after(clock.today(), NEAR), 0
    waits = select(Application).where(
        Application.desk.in_(list(names_of("province"))),  # for the index
        Application.status.in_(workflow.AWAITING),
        Application.due_on <= soon,
    )
    while page := session.scalars(waits.where(Application.id > last).order_by(Application.id).limit(PAGE)).all():
        last = page[-1].id
        for row in page:
            notify(session, row, Event.DUE_SOON, f"due-{row.id}-{row.due_on}", str(row.due_on))
        session.commit()
        session.expunge_all()


def notify_of_ended_entrustments(session: Session) -> None:
    """Notify both units of each entrustment that reached its last day within LATELY. The caller commits."""
    today = clock.today()
    ended = select(Entrustment).where(
        Entrustment.until < today,
        Entrustment.until >= today - LATELY,
        Entrustment.ended_at.is_(None),  # ended by a person: both units were notified then
        ~Entrustment.pending,
    )
    for pair in session.scalars(ended.order_by(Entrustment.id)).all():
        key = f"ended-{pair.id}-{pair.publisher_id}-{pair.agent_id}-{pair.until}"
        entrustments.notify_both(session, Event.ENTRUSTMENT_ENDED, pair, key)


def announce(session: Session, only: int | None = None) -> None:
    """Notify accounts of current announcements (`only`: of this id) that have no message yet, also new accounts.

    For a session that sees everything; the caller commits.
    """
    these = Announcement.id == only if only is not None else true()
    for role in Role:
        for key in session.scalars(select(Announcement.id).where(current(role), these)).all():
            here = Account.role == role
            notify_accounts(session, here, Event.ANNOUNCED, f"announcement-{key}", announcement_id=key)


def steps_of(keys: Keys | None) -> dict[Any, Callable[[Session], None]]:
    """The steps for the keys of the authorities."""

    def look_at_keys(session: Session) -> None:
        if keys is not None:
            key_ends.note_new(session, keys)
            key_ends.warn(session, keys)

    return {_l("签章证书到期提醒"): look_at_keys}


STEPS: dict[Any, Callable[[Session], None]] = {
    _l("办结期限提醒"): remind_of_deadlines,
    _l("委托到期通知"): notify_of_ended_entrustments,
    _l("通知公告"): announce,
    _l("每日汇总邮件"): letters.enqueue_digests,
}
