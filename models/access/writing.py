"""What each role may write: a check of every new and changed row before it is flushed."""

from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from models.access.viewer import EVERYTHING, KEY, Closed, Viewer, desk_of
from models.application import Application
from models.application.blank_forms import BlankForm
from models.application.child import OfApplication
from models.application.lease import CaseLease
from models.application.typed_form import TypedForm
from models.database import GuardedSession
from models.log import LogEntry
from models.notifications import Notification
from models.notifications.announcements import Announcement, AnnouncementChange
from models.notifications.events import OF_ENTRUSTMENTS, Event
from models.notifications.letters import MailLetter
from models.opinions import StockOpinion
from models.people.accounts import Entrustment
from models.people.api_keys import ApiKey
from models.people.calendar_feeds import CalendarFeed
from models.people.card_certificates import CardCertificate
from models.people.portal_links import PortalLink, PortalRequest
from models.people.portal_visits import PortalVisit
from models.people.recovery_codes import RecoveryCode
from models.people.security_keys import SecurityKey
from models.saved_queries import SavedQuery
from models.vocabulary import Role

OWN = (TypedForm, SavedQuery, CalendarFeed, SecurityKey, ApiKey)
OF_OPERATORS = (
    Announcement, AnnouncementChange, BlankForm, CardCertificate, PortalLink, PortalRequest, RecoveryCode,
)  # fmt: skip


def _may_entrust(viewer: Viewer | None, row: Entrustment) -> bool:
    """Whether this viewer may write the entrustment: operators every one, a publisher its own."""
    if viewer is None:
        return False
    own = row.publisher.id if row.publisher else row.publisher_id
    return viewer.role is Role.OPERATOR or (viewer.role is Role.PUBLISHER and own == viewer.organisation_id)


@event.listens_for(GuardedSession, "before_flush")
def check_writes(session: Session, *_args: Any) -> None:
    """Check every row that is about to be written; raises Closed.

    A child is added or moved only under an application that this session sees; an application is added, or given
    away, only in the name of the viewer's own organisation; 常用意见 are those of the reviewer's own province, a
    委托 is given by the viewer's own publisher, an entry of the log is in the viewer's own name.
    """
    viewer: Viewer | str | None = session.info.get(KEY)
    if viewer == EVERYTHING:
        return
    own = viewer.organisation_id if isinstance(viewer, Viewer) else 0
    with session.no_autoflush:
        for row in session.new | session.dirty:
            state = inspect(row)
            if isinstance(row, Application) and state.attrs.applicant_id.history.added and row.applicant_id != own:
                raise Closed("an application in the name of another organisation")
            if trespass := _trespass(session, row, viewer if isinstance(viewer, Viewer) else None):
                raise Closed(trespass)
            if not isinstance(row, OfApplication):
                continue
            parents = [p for p in state.attrs.application.history.added or () if p is not None]
            if not parents and state.attrs.application_id.history.added:
                parents = [session.get(Application, row.application_id)]
            if any(parent is None or parent not in session for parent in parents):
                raise Closed("a row was put under an application that is not this account's")


def _trespass(session: Session, row: Any, viewer: Viewer | None) -> str | None:
    """Why the viewer may not write this row, by the rule of its table; None: allowed, or the table has no rule."""
    if isinstance(row, OWN) and (viewer is None or row.account_id != viewer.account_id):
        return f"what belongs to another account ({row.__tablename__})"
    if isinstance(row, OF_OPERATORS) and (viewer is None or viewer.role is not Role.OPERATOR):
        return f"what operators alone write ({row.__tablename__})"
    match row:
        case PortalVisit():
            return "a sign-on by the portal, which no account writes"
        case LogEntry() if viewer is not None and row.account_id != viewer.account_id:
            return "an entry of the log in the name of another account"
        case Entrustment() if not _may_entrust(viewer, row):
            return "an entrustment by another publisher"
        case CaseLease() if viewer is None or not desk_of(viewer) or row.account_id != viewer.account_id:
            return "a case taken for another account"
        case StockOpinion() if row.province != desk_of(viewer):
            return "a sentence of another province"
        case MailLetter() if viewer is None:
            return "a letter of nobody"
        case Notification() if not _may_notify(session, row, viewer):
            return "a message to another account, of what this account does not see"
    return None


def _may_notify(session: Session, row: Notification, viewer: Viewer | None) -> bool:
    """One's own messages may be changed; others are added with an act, of an application that its actor sees."""
    if viewer is None or inspect(row).persistent:
        return viewer is not None and row.account_id == viewer.account_id
    if row.application_id is None:
        entrusting = viewer.role is Role.PUBLISHER and row.what in OF_ENTRUSTMENTS
        own = row.account_id == viewer.account_id and row.what is Event.SIGN_IN_CHANGED
        return viewer.role is Role.OPERATOR or entrusting or own
    return session.get(Application, row.application_id) is not None


@event.listens_for(GuardedSession, "detached_to_persistent")
def refuse_attached_rows(session: Session, row: Any) -> None:
    """Raises Closed when a row that another session loaded is added to this one."""
    if isinstance(row, (Application, OfApplication, Notification)) and session.info.get(KEY) != EVERYTHING:
        raise Closed("a row from another session")
