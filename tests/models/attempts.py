"""One way to reach a row (statements.py), attempted in the session of a person."""

from typing import Any

from sqlalchemy.exc import DBAPIError, InvalidRequestError, NoResultFound
from sqlalchemy.orm import (
    Session,
)

from models import access
from models.access import Closed
from models.database import db
from tests.cast import account_of
from tests.conftest import Record
from tests.models.rows import Model, Statement

REFUSALS = (Closed, NoResultFound, RuntimeError, InvalidRequestError, DBAPIError)


def session_of(username: str) -> Session:
    """The session, serving this account; "": no account."""
    if username:
        access.enter(account_of(username))
    return db.session()


def attempt(session: Session, way: Statement, model: Model, number: int) -> Any:
    """Run this statement and commit; the result, or None when nothing is found or it is refused."""
    try:
        result = way(session, model, number) or None
        session.commit()
    except REFUSALS:
        result = None
    session.rollback()
    session.expunge_all()
    return result


def first_id(record: Record, model: Model) -> int:
    """The id of the first recorded row of this model; 1 when there is none."""
    rows = record[model.__tablename__]
    return int(rows[0]["id"]) if rows else 1
