"""Optimistic lock of rows: random versions, and the refusal of a version conflict."""

import secrets

from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.workflow import Refused

MOST = 2**31 - 1  # of an INTEGER of PostgreSQL


def unrepeated(_before: int | None) -> int:
    """A random version (`version_id_generator`) for rows that may be deleted and inserted again under one key.

    A counter would restart: the new row could get the version that an open page has of the former row.
    """
    return 1 + secrets.randbelow(MOST)


def flush_or_refuse(session: Session, sentence: str) -> None:
    """Flush; rolls back and raises Refused with `sentence` when somebody else has changed or deleted the row."""
    try:
        session.flush()
    except StaleDataError:
        session.rollback()
        raise Refused(sentence) from None
