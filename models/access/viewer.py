"""Whom a session serves."""

from models.people.accounts import Account
from models.vocabulary import Role

EVERYTHING = "everything"
KEY = "account"  # in session.info: a Viewer, EVERYTHING, or None


class Closed(RuntimeError):
    """Row security refuses this statement or row, or cannot judge it."""


class Viewer:
    """The account a session serves, as plain values: SQL parameters, where SQLAlchemy would cache a closure."""

    def __init__(self, account: Account) -> None:
        self.role, self.account_id = account.role, account.id
        # Never None: SQLAlchemy renders «== None» as IS NULL, which matches every draft and every deleted row.
        self.organisation_id, self.province = account.organisation_id or 0, account.province or ""


def desk_of(viewer: Viewer | None) -> str:
    """The province whose reviewer this is; "", which no row has, for anybody else."""
    return viewer.province if viewer and viewer.role is Role.REVIEWER else ""
