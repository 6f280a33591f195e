"""Messages that no act brings about: a deadline is near, an entrustment has ended, an announcement has begun.

A worker calls remind() now and then; whatever was told before is not told again.
"""

from datetime import timedelta

from sqlalchemy import select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import clock, workflow
from models.application import Application
from models.codes import names_of
from models.deadlines import calendar
from models.deadlines.counting import NEAR
from models.notifications import entrustments, letters, tell, tell_accounts
from models.notifications.announcements import Announcement, current
from models.notifications.events import Event
from models.people.accounts import Account, Entrustment
from models.vocabulary import Role

LATELY = timedelta(days=7)  # an entrustment that ended before is no news


def remind(session: Session) -> None:
    """Tell what is due today, for a session that sees everything. Commits."""
    for look in (remind_of_deadlines, tell_of_ended_entrustments, announce, letters.enqueue_digests):
        try:
            look(session)
            session.commit()
        except IntegrityError:  # another worker was first
            session.rollback()


def remind_of_deadlines(session: Session) -> None:
    """Once for each due date, when it is NEAR or has passed; the caller commits."""
    soon = calendar.load(session).after(clock.today(), NEAR)
    waits = select(Application).where(
        Application.desk.in_(list(names_of("province"))),  # for the index
        Application.status.in_(workflow.AWAITING),
        Application.due_on <= soon,
    )
    for row in session.scalars(waits.order_by(Application.id)).all():
        tell(session, row, Event.DUE_SOON, f"due-{row.id}-{row.due_on}", str(row.due_on))


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
