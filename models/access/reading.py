"""What each role sees: a condition for every kind of row, added to every statement of the ORM."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, event, exists, false, literal, or_, select, true
from sqlalchemy.orm import ORMExecuteState, aliased, with_loader_criteria
from sqlalchemy.orm.interfaces import CriteriaOption, UserDefinedOption
from sqlalchemy.sql.visitors import InternalTraversal

from models import clock
from models.access.viewer import (
    EVERYTHING,
    KEY,
    TODAY_PARAMETER,
    Closed,
    ParameterViewer,
    Viewer,
    desk_of,
    parameters_of,
    reviews,
)
from models.application import Application
from models.application.act_counts import ActCount
from models.application.attachments import Attachment  # noqa: F401  every child must be mapped before the first query
from models.application.blank_forms import BlankForm
from models.application.carriers import Carrier  # noqa: F401
from models.application.child import Child
from models.application.lease import CaseLease
from models.application.trail import TrailEntry  # noqa: F401
from models.application.typed_form import TypedForm
from models.certificate import Certificate  # noqa: F401
from models.certificate.paper_queue import PaperTask  # noqa: F401
from models.certificate.uses import CertificateUse  # noqa: F401
from models.customs import CustomsMessage
from models.database import GuardedSession
from models.log import LogEntry
from models.log.chain import LogSeal
from models.notifications import Notification
from models.notifications.announcements import Announcement, AnnouncementChange, current
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
from models.vocabulary import Action, Role

RULES: dict[Role, Callable[[Viewer], ColumnElement[bool]]] = {
    Role.PUBLISHER: lambda viewer: Application.owner_id == viewer.organisation_id,
    Role.REVIEWER: lambda viewer: Application.desk == viewer.province,
    Role.NATIONAL: lambda viewer: Application.issued == 1,
}
OF_ACCOUNTS = (ApiKey, CalendarFeed, CardCertificate, PortalLink, RecoveryCode, SecurityKey)
EVERYWHERE: dict[str, Any] = {"include_aliases": True, "propagate_to_loaders": True}
PARENT = aliased(Application)  # an alias, so that the outer statement neither correlates nor adapts it


def _of_visible(cls: Any) -> ColumnElement[bool]:
    """The application of the row is visible: PARENT carries the rule of applications."""
    return exists(1).where(PARENT.id == cls.application_id)


CHILD_RULE = with_loader_criteria(Child, _of_visible, **EVERYWHERE)
# Not for a province, which counts thousands of messages to customs and has a faster rule: see rules().
MESSAGE_RULE = with_loader_criteria(CustomsMessage, _of_visible(CustomsMessage), **EVERYWHERE)
# A notification about an application is visible only while the application is; _of_messages() adds the recipient.
# OFFSET, or PostgreSQL would read all visible applications into a hash table, to look up those of a few messages.
NOTIFICATION_RULE = with_loader_criteria(
    Notification,
    or_(
        Notification.application_id.is_(None),
        select(literal(1)).where(PARENT.id == Notification.application_id).offset(0).exists(),
    ),
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
    """Rows of the own account; operators see all. The rows hold hashes only, no secret that could be read."""
    if viewer and viewer.role is Role.OPERATOR:
        return true()
    return model.account_id == (viewer.account_id if viewer else 0)


def _log_rule(viewer: Viewer | None) -> ColumnElement[bool]:
    """Operators and the national authority see the whole log, everybody else their own entries."""
    if viewer and viewer.role in (Role.OPERATOR, Role.NATIONAL):
        return true()
    return LogEntry.account_id == (viewer.account_id if viewer else 0)


class Rules(CriteriaOption):
    """The rules of a role as one option: compiled once, because the values of a viewer are SQL parameters.

    As separate options they cost 0.4 ms a statement: SQLAlchemy walks through all of them to find its compiled SQL.
    """

    propagate_to_loaders = True
    _traverse_internals = [("role", InternalTraversal.dp_string)]  # the cache key: the SQL differs by role only

    def __init__(self, role: Role | None) -> None:
        self.role = role
        viewer = ParameterViewer(role) if role else None
        self.criteria = _criteria(rules(viewer, TODAY_PARAMETER))

    def process_compile_state(self, compile_state: Any) -> None:
        for option in self.criteria:
            option.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[str, Any]) -> None:
        for option in self.criteria:
            option.get_global_criteria(attributes)


def _criteria(found: dict[Any, ColumnElement[bool]]) -> tuple[Any, ...]:
    options = (with_loader_criteria(model, rule, **EVERYWHERE) for model, rule in found.items())
    messages = () if CustomsMessage in found else (MESSAGE_RULE,)
    return (*options, *messages, CHILD_RULE, NOTIFICATION_RULE)


@cache
def _options(role: Role | None) -> tuple[Any, ...]:
    """The options added to every statement that reads for this role; None: for nobody."""
    return (LoadedFor(role), Rules(role))


def rules(viewer: Viewer | None, today: Any) -> dict[Any, ColumnElement[bool]]:
    """Model → condition on the rows that this viewer sees; children: CHILD_RULE. `today`: a day, or SQL for it."""
    found: dict[Any, ColumnElement[bool]] = {
        Application: RULES[viewer.role](viewer) if viewer and viewer.role in RULES else false()
    }
    me = viewer.account_id if viewer else 0
    found |= {TypedForm: TypedForm.account_id == me, SavedQuery: SavedQuery.account_id == me}
    found |= {model: _own_or_operated(viewer, model) for model in OF_ACCOUNTS}
    found |= {StockOpinion: StockOpinion.province == desk_of(viewer), Entrustment: _entrusting(viewer)}
    found[PortalRequest] = true() if viewer and viewer.role is Role.OPERATOR else false()
    found[PortalVisit] = found[LogSeal] = false()
    found[LogEntry], found[BlankForm] = _log_rule(viewer), true() if viewer else false()
    found[CaseLease] = true() if reviews(viewer) else false()
    found[ActCount] = _counts_of(viewer)
    if reviews(viewer):
        found[CustomsMessage] = CustomsMessage.desk == desk_of(viewer)  # for others MESSAGE_RULE
    return found | _of_messages(viewer, today)


def _of_messages(viewer: Viewer | None, today: Any) -> dict[Any, ColumnElement[bool]]:
    """Notifications: one's own, for the present unit, not of an announcement that is over. Announcements: the current
    ones for one's role; for operators all, and their trail. Letters: none."""
    operates = viewer is not None and viewer.role is Role.OPERATOR
    me, unit = (viewer.account_id, viewer.organisation_id) if viewer else (0, 0)
    # No coalesce(): PostgreSQL would expect one row in 200, and sort all messages rather than read the newest.
    of_unit = or_(Notification.organisation_id.is_(None), Notification.organisation_id == unit)
    seen = current(viewer.role, today) if viewer else false()
    current_only = or_(
        Notification.announcement_id.is_(None), Notification.announcement_id.in_(select(Announcement.id).where(seen))
    )
    return {
        Notification: (Notification.account_id == me) & of_unit & current_only,
        Announcement: true() if operates else seen,
        AnnouncementChange: true() if operates else false(),
        MailLetter: false(),
    }


def _counts_of(viewer: Viewer | None) -> ColumnElement[bool]:
    """A province sees the counts of its own acts; the nation those of grants and revocations, of all provinces."""
    if reviews(viewer):
        return ActCount.scope == desk_of(viewer)
    if viewer and viewer.role is Role.NATIONAL:
        return ActCount.act.in_([Action.GRANT.value, Action.REVOKE.value])
    return false()


@event.listens_for(GuardedSession, "do_orm_execute")
def add_reading_rules(state: ORMExecuteState) -> None:
    """Add the viewer's rule to every ORM statement; raises Closed for a statement that cannot carry it."""
    viewer: Any = state.session.info.get(KEY)
    if viewer == EVERYTHING:
        return
    if not state.is_column_load:
        _add_rules(state, viewer)
    # A column load gets parameters too: its joins carry the rules under which the row was loaded.
    if state.is_select or _is_unsynchronized(state):
        given: Any = state.parameters or {}
        state.parameters = given | parameters_of(viewer, clock.today())


def _add_rules(state: ORMExecuteState, viewer: Viewer | None) -> None:
    if not state.is_orm_statement or state.is_from_statement or state.is_insert or state.is_executemany:
        raise Closed(f"not under row security: {type(state.statement).__name__}")
    if (state.is_update or state.is_delete) and not _is_unsynchronized(state):
        # Rows in the session are matched in Python, which knows no parameters.
        state.statement = state.statement.options(*_criteria(rules(viewer, clock.today())))
        return
    options = _options(viewer.role if viewer else None)
    if not (state.is_relationship_load and options[0] in state.user_defined_options):
        state.statement = state.statement.options(*options)


def _is_unsynchronized(state: ORMExecuteState) -> bool:
    """Whether this is an UPDATE or DELETE that leaves the rows in the session alone (NO_SYNC)."""
    return (state.is_update or state.is_delete) and state.execution_options.get("synchronize_session") is False
