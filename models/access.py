"""Row security: which applications each role may see, enforced in the session for every query of the ORM.

Closed by default: a session without an account sees no row. Jobs open a separate session that sees every row
(`everything()`): loaded rows are not queried again, so the rule cannot be lifted in the session of a request.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, event, exists, false, inspect
from sqlalchemy.orm import ORMExecuteState, Session, aliased, with_loader_criteria
from sqlalchemy.orm.interfaces import UserDefinedOption

from models.application import Application
from models.application.attachments import Attachment  # noqa: F401  every child must be mapped before the first query
from models.application.carriers import Carrier  # noqa: F401
from models.application.child import Child
from models.application.trail import TrailEntry  # noqa: F401
from models.certificate import Certificate  # noqa: F401
from models.certificate.paper_queue import PaperTask  # noqa: F401
from models.customs import CustomsMessage  # noqa: F401
from models.database import GuardedSession, db, search
from models.people.accounts import Account
from models.vocabulary import Role

EVERYTHING = "everything"
KEY = "account"  # in session.info: a Viewer, EVERYTHING, or None


class Closed(RuntimeError):
    """Row security refuses this statement or row, or cannot judge it."""


class Viewer:
    """The account a session serves, as plain values: SQL parameters, where SQLAlchemy would cache a closure."""

    def __init__(self, account: Account) -> None:
        self.role = account.role
        # Never None: SQLAlchemy renders «== None» as IS NULL, which matches every draft and every deleted row.
        self.organisation_id, self.province = account.organisation_id or 0, account.province or ""


RULES: dict[Role, Callable[[Viewer], ColumnElement[bool]]] = {
    Role.PUBLISHER: lambda viewer: Application.owner_id == viewer.organisation_id,
    Role.REVIEWER: lambda viewer: Application.desk == viewer.province,
    Role.NATIONAL: lambda viewer: Application.issued == 1,
}
EVERYWHERE: dict[str, Any] = {"include_aliases": True, "propagate_to_loaders": True}
PARENT = aliased(Application)  # an alias, so that the outer statement neither correlates nor adapts it
CHILD_RULE = with_loader_criteria(Child, lambda cls: exists(1).where(PARENT.id == cls.application_id), **EVERYWHERE)


class LoadedFor(UserDefinedOption):
    """Marks rows as loaded under a viewer's rule, so that their lazy loads do not get the rule twice."""

    propagate_to_loaders = True


def enter(account: Account | None) -> None:
    """From now on db.session sees the rows of `account`; None: no row."""
    db.session().info[KEY] = Viewer(account) if account else None
    db.session().info.pop("scope", None)


def search_scope(session: Session) -> tuple[str, ...]:
    """The tokens in the search index of all rows that this session sees (models/database/search.py)."""
    me: Viewer | str | None = session.info.get(KEY)
    if not isinstance(me, Viewer):
        return ()
    columns = {Role.PUBLISHER: ("owner_id", me.organisation_id), Role.REVIEWER: ("desk", me.province)}
    return (search.token(*columns.get(me.role, ("issued", 1))),)


@contextmanager
def everything() -> Iterator[Session]:
    """A new session that sees every row, for jobs and public verification; closed, not committed, at the end."""
    session = GuardedSession(db, info={KEY: EVERYTHING})
    try:
        yield session
    finally:
        session.close()


def _scope(info: dict[Any, Any]) -> tuple[Any, ...]:
    """The loader options of a session, made once: (LoadedFor, rule on Application, rule on its children)."""
    viewer: Viewer | None = info.get(KEY)
    if "scope" not in info:
        rule = RULES[viewer.role](viewer) if viewer and viewer.role in RULES else false()
        info["scope"] = (
            LoadedFor(viewer),
            with_loader_criteria(Application, rule, **EVERYWHERE),
            CHILD_RULE,
        )
    return info["scope"]


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


@event.listens_for(GuardedSession, "before_flush")
def write_under_own_rows(session: Session, *_args: Any) -> None:
    """Check what is about to be written; raises Closed.

    A child is added or moved only under an application that this session sees; an application is added, or given
    away, only in the name of the viewer's own organisation.
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
            if not isinstance(row, Child):
                continue
            parents = [p for p in state.attrs.application.history.added or () if p is not None]
            if not parents and state.attrs.application_id.history.added:
                parents = [session.get(Application, row.application_id)]
            if any(parent is None or parent not in session for parent in parents):
                raise Closed("a row was put under an application that is not this account's")


@event.listens_for(GuardedSession, "detached_to_persistent")
def refuse_attached_rows(session: Session, row: Any) -> None:
    """Raises Closed when a row that another session loaded is added to this one."""
    if isinstance(row, (Application, Child)) and session.info.get(KEY) != EVERYTHING:
        raise Closed("a row from another session")
