"""The counts of a province in the menu, on every page: one statement, each counted up to MOST + 1 from an index."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from flask_login import current_user
from sqlalchemy import ColumnElement, Select, bindparam, func, select

from models import clock, workflow
from models.application import Application
from models.clock import Moment
from models.customs import CustomsMessage
from models.database import db
from models.vocabulary import Action, Delivery
from views.panel.display import once
from views.resources import pace

MOST = 99
BEFORE_ALL = datetime(2000, 1, 1, tzinfo=clock.SHANGHAI)


@dataclass(frozen=True)
class Counts:
    """`failed`: certificates that customs has not received, and messages that were set aside or have no answer."""

    pending: int
    failed: int


def counts() -> Counts:
    """The counts of the reader's province, queried once a request."""
    return once("menu counts", _query)


def shown(count: int) -> str:
    """A count for the menu; "" for none."""
    return f"{MOST}+" if count > MOST else str(count or "")


def _query() -> Counts:
    given = {"of_desk": current_user.province, "silent_since": pace().unanswered_since()}
    found = db.session.execute(_statement(), given).one()
    return Counts(found[0], sum(found[1:]))


@cache
def _statement() -> Select[Any]:
    """Made once, because that takes as long as to run it."""
    pending = select(Application.id).where(Application.status.in_(workflow.AWAITING))
    orders = [status.order for status in workflow.ACTS[Action.RESEND].when]
    rejected = select(Application.id).where(Application.status_order.in_(orders))
    # As on the desk: row security looks up each message's application, and `desk` is the first column of the index.
    messages = select(CustomsMessage.id).where(CustomsMessage.desk == bindparam("of_desk"))
    # Each is one range of the index `stuck`, so that the messages that are merely queued are not read. A date and not
    # IS NOT NULL, which SQLite does not look up.
    aside = messages.where(CustomsMessage.state == Delivery.SET_ASIDE, CustomsMessage.set_aside_at > BEFORE_ALL)
    since: Any = bindparam("silent_since", type_=Moment)
    silent = messages.where(CustomsMessage.set_aside_at.is_(None), CustomsMessage.unanswered(since))
    return select(*map(_counted, (pending, rejected, aside, silent)))


def _counted(query: Select[Any]) -> ColumnElement[Any]:
    return select(func.count()).select_from(query.limit(MOST + 1).subquery()).scalar_subquery()
