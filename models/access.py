"""Row security: which applications each role may see, enforced in the session for every query of the ORM.

Closed by default: a session that nobody entered sees no row. A door for jobs is a session of its own
(`everything()`), never this one, for rows already loaded are not asked again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, event, exists, false, inspect
from sqlalchemy.orm import ORMExecuteState, Session, aliased, with_loader_criteria
from sqlalchemy.orm.interfaces import UserDefinedOption

from models.accounts import Account
from models.application import Application, Child
from models.attachments import Attachment  # noqa: F401  every child must be mapped before the guard stands
from models.certificate import Certificate  # noqa: F401
from models.customs import CustomsMessage  # noqa: F401
from models.db import GuardedSession, db
from models.paper_queue import PaperTask  # noqa: F401
from models.trail import TrailEntry  # noqa: F401
from models.vocabulary import Role

EVERYTHING = "everything"
KEY = "account"


class Closed(RuntimeError):
    """A statement or row that the guard cannot judge, and so refuses."""


class Seer:
    """Whom the session serves, as plain values: they go into SQL as parameters, never into a cached closure."""

    def __init__(self, account: Account) -> None:
        self.role = account.role
        # Never None: «= NULL» is asked as IS NULL, which is every draft and every deleted row.
        self.organisation_id, self.province = account.organisation_id or 0, account.province or ""


RULES: dict[Role, Callable[[Seer], ColumnElement[bool]]] = {
    Role.PUBLISHER: lambda me: Application.owner_id == me.organisation_id,
    Role.REVIEWER: lambda me: Application.desk == me.province,
    Role.NATIONAL: lambda me: Application.issued == 1,
}
EVERYWHERE: dict[str, Any] = {"include_aliases": True, "propagate_to_loaders": True}
PARENT = aliased(Application)  # an alias: never correlated with, nor adapted by, the outer statement
FOLLOW = with_loader_criteria(Child, lambda cls: exists(1).where(PARENT.id == cls.application_id), **EVERYWHERE)


class SeenBy(UserDefinedOption):
    """Marks what was loaded under a scope, so that its lazy loads are not scoped twice."""

    propagate_to_loaders = True


def enter(account: Account | None) -> None:
    """From now on this session serves `account`; None closes it."""
    db.session().info[KEY] = Seer(account) if account else None
    db.session().info.pop("scope", None)


@contextmanager
def everything() -> Iterator[Session]:
    """The door for jobs and public facts: a session of its own that sees every row. Use it, and close it."""
    session = GuardedSession(db, info={KEY: EVERYTHING})
    try:
        yield session
    finally:
        session.close()


def _scope(info: dict[Any, Any]) -> tuple[Any, ...]:
    me: Seer | None = info.get(KEY)
    if "scope" not in info:
        rule = RULES[me.role](me) if me and me.role in RULES else false()
        info["scope"] = (SeenBy(me), with_loader_criteria(Application, rule, **EVERYWHERE), FOLLOW)
    return info["scope"]


@event.listens_for(GuardedSession, "do_orm_execute")
def see_own_rows(state: ORMExecuteState) -> None:
    """Every ORM statement gets the rule of the session's account; one that cannot is refused."""
    if state.session.info.get(KEY) == EVERYTHING or state.is_column_load:
        return
    if not state.is_orm_statement or state.is_from_statement or state.is_insert or state.is_executemany:
        raise Closed(f"not under row security: {type(state.statement).__name__}")
    options = _scope(state.session.info)
    if not (state.is_relationship_load and options[0] in state.user_defined_options):
        state.statement = state.statement.options(*options)


@event.listens_for(GuardedSession, "before_flush")
def write_under_own_rows(session: Session, *_args: Any) -> None:
    """A child may only be added, or moved, under an application that this session sees; that one, in its own name."""
    me: Seer | str | None = session.info.get(KEY)
    if me == EVERYTHING:
        return
    mine = me.organisation_id if isinstance(me, Seer) else 0
    with session.no_autoflush:
        for row in session.new | session.dirty:
            state = inspect(row)
            if isinstance(row, Application) and state.attrs.applicant_id.history.added and row.applicant_id != mine:
                raise Closed("an application in the name of another organisation")
            if not isinstance(row, Child):
                continue
            parents = [p for p in state.attrs.application.history.added or () if p is not None]
            if not parents and state.attrs.application_id.history.added:
                parents = [session.get(Application, row.application_id)]
            if any(parent is None or parent not in session for parent in parents):
                raise Closed("a row was put under an application that is not this account's")


@event.listens_for(GuardedSession, "detached_to_persistent")
def nothing_from_outside(session: Session, row: Any) -> None:
    """A row made elsewhere cannot be carried into the session."""
    if isinstance(row, (Application, Child)) and session.info.get(KEY) != EVERYTHING:
        raise Closed("a row from another session")
