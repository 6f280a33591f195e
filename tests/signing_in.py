"""Signing in by password alone, as /login does it for accounts that have no key and no card."""

from sqlalchemy.orm import Session

from models import access
from models.log import Place
from models.people.accounts import Account
from models.people.methods import Method
from models.people.sessions import attach_visit, attempt_sign_in, begin_visit


def sign_in(session: Session, username: str, password: str, place: Place | None = None) -> Account:
    """Sign in by password: the account, with a new visit. Commits. Raises Refused as attempt_sign_in()."""
    account = attempt_sign_in(session, username, password, place or Place())
    begin(session, account, place)
    return account


def begin(session: Session, account: Account, place: Place | None = None) -> None:
    """Give the account a new visit, as after the right password. Commits."""
    with access.everything() as everything:
        token = begin_visit(everything, account.id, place or Place(), Method.PASSWORD).token
        everything.commit()
    session.commit()  # what it reads from here on includes the visit
    attach_visit(session, account, token)
