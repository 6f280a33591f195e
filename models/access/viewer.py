"""The account that a session serves, for the rules of row security."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, String, bindparam, cast, func, true

from models.people.accounts import Account
from models.vocabulary import Role

EVERYTHING = "everything"
KEY = "account"  # in session.info: a Viewer, EVERYTHING, or None


class Closed(RuntimeError):
    """Row security refuses this statement or row, or cannot judge it."""


class Viewer:
    """The account that a session serves, as plain values for SQL parameters: SQLAlchemy would cache a closure."""

    def __init__(self, account: Account) -> None:
        self.role, self.account_id = account.role, account.id
        # Never None: SQLAlchemy renders «== None» as IS NULL, which matches every draft and every deleted row.
        self.organisation_id, self.province = account.organisation_id or 0, account.province or ""


class ParameterViewer(Viewer):
    """A viewer of this role whose values are required parameters of every statement (models/access/reading.py)."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.account_id: Any = bindparam("viewer_account", type_=BigInteger)
        self.organisation_id: Any = bindparam("viewer_organisation", type_=BigInteger)
        self.province: Any = bindparam("viewer_province", type_=String)


TODAY_PARAMETER: Any = bindparam("viewer_today", type_=Date)


def parameters_of(viewer: Viewer | None, today: date) -> dict[str, Any]:
    """Name → value of the parameters of a statement that serves this viewer; for None values that no row has."""
    return {
        "viewer_account": viewer.account_id if viewer else 0,
        "viewer_organisation": viewer.organisation_id if viewer else 0,
        "viewer_province": viewer.province if viewer else "",
        "viewer_today": today,
    }


class SettingsViewer(Viewer):
    """A viewer of this role whose values are SQL: the settings of the transaction (models/access/database_roles.py)."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.account_id: Any = _whole("app.account")
        self.organisation_id: Any = _whole("app.organisation")
        self.province: Any = func.coalesce(func.current_setting("app.province", true()), "")


def _whole(name: str) -> ColumnElement[int]:
    """A setting as a number; 0, which no row has, when it is unset or empty (left so by a former transaction)."""
    return func.coalesce(cast(func.nullif(func.current_setting(name, true()), ""), Integer), 0)


def reviews(viewer: Viewer | None) -> bool:
    """Whether the viewer decides for a province."""
    return viewer is not None and viewer.role is Role.REVIEWER


def desk_of(viewer: Viewer | None) -> str:
    """The province of a reviewer; "" for any other viewer, which no row has."""
    return viewer.province if viewer and reviews(viewer) else ""
