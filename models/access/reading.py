"""What each role sees: a condition for every kind of row, added to every statement of the ORM."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, event, exists, false, func, or_, select, true
from sqlalchemy.orm import ORMExecuteState, aliased, with_loader_criteria
from sqlalchemy.orm.interfaces import UserDefinedOption

from models.access.viewer import EVERYTHING, KEY, Closed, Viewer, desk_of
from models.application import Application
from models.application.attachments import Attachment  # noqa: F401  every child must be mapped before the first query
from models.application.blank_forms import BlankForm
from models.application.carriers import Carrier  # noqa: F401
from models.application.child import Child
from models.application.lease import CaseLease
from models.application.trail import TrailEntry  # noqa: F401
from models.application.typed_form import TypedForm
from models.certificate import Certificate  # noqa: F401
from models.certificate.paper_queue import PaperTask  # noqa: F401
from models.customs import CustomsMessage  # noqa: F401
from models.database import GuardedSession
from models.kept_queries import KeptQuery
from models.log import LogEntry
from models.notifications import Notification
from models.notifications.announcements import Announcement, AnnouncementChange, current
from models.notifications.letters import MailLetter
from models.opinions import StockOpinion
from models.people.accounts import Entrustment
from models.people.calendar_feeds import CalendarFeed
from models.people.card_certificates import CardCertificate
from models.people.recovery_codes import RecoveryCode
from models.people.security_keys import SecurityKey
from models.vocabulary import Role

RULES: dict[Role, Callable[[Viewer], ColumnElement[bool]]] = {
    Role.PUBLISHER: lambda viewer: Application.owner_id == viewer.organisation_id,
    Role.REVIEWER: lambda viewer: Application.desk == viewer.province,
    Role.NATIONAL: lambda viewer: Application.issued == 1,
}
OF_ACCOUNTS = (CalendarFeed, CardCertificate, RecoveryCode, SecurityKey)
EVERYWHERE: dict[str, Any] = {"include_aliases": True, "propagate_to_loaders": True}
PARENT = aliased(Application)  # an alias, so that the outer statement neither correlates nor adapts it
CHILD_RULE = with_loader_criteria(Child, lambda cls: exists(1).where(PARENT.id == cls.application_id), **EVERYWHERE)
# The application that a message is about is seen now. Whose message it is, _of_messages() says.
NOTIFICATION_RULE = with_loader_criteria(
    Notification,
    lambda cls: or_(cls.application_id.is_(None), exists(1).where(PARENT.id == cls.application_id)),
    **EVERYWHERE,
)


class LoadedFor(UserDefinedOption):
    """Marks rows as loaded under a viewer's rule, so that their lazy loads do not get the rule twice."""

    propagate_to_loaders = True


def _entrusting(viewer: Viewer | None) -> ColumnElement[bool]:
    """The entrustments that a viewer sees: the operator all, a unit those it gives or takes."""
    if viewer is None:
        return false()
    if viewer.role is Role.OPERATOR:
        return true()
    return or_(Entrustment.publisher_id == viewer.organisation_id, Entrustment.agent_id == viewer.organisation_id)


def _own_or_operated(viewer: Viewer | None, model: Any) -> ColumnElement[bool]:
    """One's own; operators those of all. Neither an address, nor a key, nor a code can be read in its row."""
    if viewer and viewer.role is Role.OPERATOR:
        return true()
    return model.account_id == (viewer.account_id if viewer else 0)


def _log_rule(viewer: Viewer | None) -> ColumnElement[bool]:
    """Operators and the nation look through the whole log, everybody else sees what is about themselves."""
    if viewer and viewer.role in (Role.OPERATOR, Role.NATIONAL):
        return true()
    return LogEntry.account_id == (viewer.account_id if viewer else 0)


def _scope(info: dict[Any, Any]) -> tuple[Any, ...]:
    """The loader options of a session, made once."""
    if "scope" not in info:
        viewer: Viewer | None = info.get(KEY)
        info["scope"] = _options(viewer) if viewer else _options_of_nobody()
    return info["scope"]


@cache
def _options_of_nobody() -> tuple[Any, ...]:
    """Of a session that serves no account yet, as every request is at first: the same for all of them."""
    return _options(None)


def _options(viewer: Viewer | None) -> tuple[Any, ...]:
    """(LoadedFor, rules on Application, children, own buffers)."""
    rules: dict[type, ColumnElement[bool]] = {
        Application: RULES[viewer.role](viewer) if viewer and viewer.role in RULES else false()
    }
    me = viewer.account_id if viewer else 0
    rules |= {TypedForm: TypedForm.account_id == me, KeptQuery: KeptQuery.account_id == me}
    rules |= {model: _own_or_operated(viewer, model) for model in OF_ACCOUNTS}
    rules |= {StockOpinion: StockOpinion.province == desk_of(viewer), Entrustment: _entrusting(viewer)}
    rules[LogEntry], rules[BlankForm] = _log_rule(viewer), true() if viewer else false()
    rules[CaseLease] = true() if desk_of(viewer) else false()
    rules |= _of_messages(viewer)
    options = (with_loader_criteria(model, rule, **EVERYWHERE) for model, rule in rules.items())
    return (LoadedFor(viewer), *options, CHILD_RULE, NOTIFICATION_RULE)


def _of_messages(viewer: Viewer | None) -> dict[type, ColumnElement[bool]]:
    """One's own messages, of the unit that one belongs to, and of current announcements; announcements for one's role,
    all of them and their trail to operators; letters to nobody."""
    operates = viewer is not None and viewer.role is Role.OPERATOR
    me, unit = (viewer.account_id, viewer.organisation_id) if viewer else (0, 0)
    own = (Notification.account_id == me) & (func.coalesce(Notification.organisation_id, unit) == unit)
    seen = current(viewer.role) if viewer else false()
    current_only = or_(
        Notification.announcement_id.is_(None), Notification.announcement_id.in_(select(Announcement.id).where(seen))
    )
    return {
        Notification: own & current_only,
        Announcement: true() if operates else seen,
        AnnouncementChange: true() if operates else false(),
        MailLetter: false(),
    }


@event.listens_for(GuardedSession, "do_orm_execute")
def see_own_rows(state: ORMExecuteState) -> None:
    """Add the viewer's rule to every ORM statement; raises Closed for a statement that cannot carry it."""
    if state.session.info.get(KEY) == EVERYTHING or state.is_column_load:
        return
    if not state.is_orm_statement or state.is_from_statement or state.is_insert or state.is_executemany:
        raise Closed(f"not under row security: {type(state.statement).__name__}")
    options = _scope(state.session.info)
    if not (state.is_relationship_load and options[0] in state.user_defined_options):
        state.statement = state.statement.options(*options)
