"""Row security: which applications each role may see, enforced in the session for every query of the ORM.

Closed by default: a session without an account sees no row. Jobs open a separate session that sees every row
(`everything()`): a session does not query loaded rows again, so the rule cannot be lifted in that of a request.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from models.access import database_roles, reading, row_security, writing
from models.access.viewer import EVERYTHING, KEY, Closed, Viewer
from models.database import GuardedSession, db, search
from models.people.accounts import Account
from models.vocabulary import Role

GuardedSession.is_guarded = True  # by the listeners of `reading` and `writing`, imported above
__all__ = ["Closed", "as_seen_by", "enter", "everything", "reading", "row_security", "search_scope", "writing"]


def enter(account: Account | None) -> None:
    """Let db.session see the rows of `account` from now on; None: no row."""
    session = db.session()
    session.info[KEY] = Viewer(account) if account else None
    if session.in_transaction():
        database_roles.take_role(session, session.connection())


def search_scope(session: Session) -> tuple[str, ...]:
    """The tokens in the search index of all rows that this session sees (models/database/search.py)."""
    me: Viewer | str | None = session.info.get(KEY)
    if not isinstance(me, Viewer):
        return ()
    columns: dict[Role, tuple[str, object]] = {
        Role.PUBLISHER: ("owner_id", me.organisation_id), Role.REVIEWER: ("desk", me.province),
        Role.NATIONAL: ("issued", 1),
    }  # fmt: skip
    return (search.token(*columns.get(me.role, ("issued", 0))),)  # a token that no row has


@contextmanager
def as_seen_by(account: Account) -> Iterator[Session]:
    """A new session that sees what this account sees; closed, not committed, at the end."""
    session = GuardedSession(db, info={KEY: Viewer(account)})
    try:
        yield session
    finally:
        session.close()


@contextmanager
def everything() -> Iterator[Session]:
    """A new session that sees every row, for jobs and public verification; closed, not committed, at the end."""
    session = GuardedSession(db, info={KEY: EVERYTHING})
    try:
        yield session
    finally:
        session.close()
