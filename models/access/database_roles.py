"""Sets the PostgreSQL role of a session at the start of each transaction, under row-level security (row_security.py).

Only settings of the transaction are used, so that a pooler may give each transaction another connection.
"""

from typing import Any

from sqlalchemy import Connection, event, func, select
from sqlalchemy.orm import Session

from models.access.grants import JOBS, NOBODY, role_of
from models.access.viewer import EVERYTHING, KEY, Viewer
from models.database import GuardedSession
from models.database.postgresql import UNDER_ROW_SECURITY


def settings_of(viewer: Viewer | str | None) -> dict[str, str]:
    """Name → value of the settings of a transaction that serves this viewer."""
    if not isinstance(viewer, Viewer):
        role = JOBS if viewer == EVERYTHING else NOBODY
        return {"app.account": "", "app.organisation": "", "app.province": "", "role": role}
    return {
        "app.account": str(viewer.account_id),
        "app.organisation": str(viewer.organisation_id),
        "app.province": viewer.province,
        "role": role_of(viewer.role),
    }


def take_role(session: Session, connection: Connection) -> None:
    """Set the database role of the account that the session serves, until the transaction ends."""
    if connection.info.get(UNDER_ROW_SECURITY):
        found = settings_of(session.info.get(KEY))
        connection.execute(select(*(func.set_config(name, value, True) for name, value in found.items())))


@event.listens_for(GuardedSession, "after_begin")
def begin_in_role(session: Session, _transaction: Any, connection: Connection) -> None:
    take_role(session, connection)
