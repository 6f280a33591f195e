"""Who is signed in, as plain values: for the frame of pages, also of error pages, which must not query the database."""

from dataclasses import dataclass

from flask import Flask, current_app, g, request, session
from flask_login import current_user

from models.database import release
from models.people.accounts import Account
from models.vocabulary import Role
from views.entrance.relying_party import must_enrol


@dataclass(frozen=True)
class Person:
    """What the bar and the menu show of an account; `organisation`: its name, `province`: a code, or ""."""

    id: int
    role: Role
    name: str
    organisation: str
    province: str


def init_app(app: Flask) -> None:
    app.jinja_env.globals["person_of"] = person_of


def person_of(account: Account) -> Person:
    organisation = account.organisation.name if account.organisation else ""
    return Person(account.id, account.role, account.name, organisation, account.province or "")


def remember(account: Account) -> None:
    """Keep who is signed in for an error page of this request.

    Not for an account that must first change its password or enrol a key: no page of its menu would open.
    """
    if not account.must_change and account.is_complete and not must_enrol(account):
        g.person = person_of(account)


def person_for_error(status: int) -> Person | None:
    """Who is signed in, for an error page; None: nobody, or it cannot be known without the database.

    Reads the account only for an address that does not exist (404, 405), because authorize() has not read it then.
    """
    if "person" not in g and request.routing_exception and status < 500 and "_user_id" in session:
        try:
            if current_user.is_authenticated:
                remember(current_user)
        except Exception:
            current_app.logger.exception("the account could not be read for an error page")
            release()
    return None if status == 401 else g.get("person")
