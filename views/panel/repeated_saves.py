"""A save whose answer was lost is sent again: each page of a form has a key, by which what it saved is known.

Without it the second save of a blank form would make a second draft, and every new carrier row would stand twice.
"""

import re
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import HiddenField

from models.acts import drafts
from models.application import Application
from models.application.carriers import Carrier
from models.database.locks import Lock, wait_for
from models.people.accounts import Account
from views.entrance.security import random_name

KEY = re.compile(r"[\w-]{20,32}", re.ASCII)


class PageKey(HiddenField):
    """A new key for each page; a form that comes back keeps the one it was sent with."""

    def process_data(self, value: Any) -> None:
        self.data = random_name()

    def populate_obj(self, obj: Any, name: str) -> None:
        """No-op: remember_page() sets it."""


def key_sent() -> str | None:
    """The key of the page that sent this form; None without one."""
    key = request.form.get("page_key", "")
    return key if KEY.fullmatch(key) else None


def draft_of_page(session: Session, by: Account) -> Application | None:
    """The draft that the blank form of this page has already made, if its answer was lost."""
    if (key := key_sent()) is None:
        return None
    made = select(Application).where(Application.page_key == key, Application.owner_id == by.organisation_id)
    return session.scalar(made)


def draft_for_page(session: Session, by: Account) -> Application:
    """The draft that the blank form of this page has made, or a new one.

    Pages take turns until they commit: sent twice at once, a page would find no draft both times, and make two.
    """
    wait_for(session, Lock.DRAFT)
    return draft_of_page(session, by) or drafts.start(session, by=by)


def is_resent(application: Application) -> bool:
    """Whether this page was the last to save the application: nobody's work lies between."""
    return application.page_key is not None and application.page_key == key_sent()


def match_new_rows(rows: Any, application: Application) -> None:
    """Give rows that this page sends as new the numbers they have since an answer was lost.

    If this page was the last to save, rows that it added before and no longer sends are removed.
    """
    known: dict[str | None, Carrier] = {each.page_key: each for each in application.carriers if each.page_key}
    for row in rows:
        if not row.get_pk() and (saved := known.get(carrier_key(row.id))):
            row.form.id.data = str(saved.id)
    sent, mine = {str(row.get_pk()) for row in rows}, f"{key_sent()}-"
    for key, carrier in known.items() if is_resent(application) else ():
        if str(key).startswith(mine) and str(carrier.id) not in sent:
            application.carriers.remove(carrier)


def carrier_key(row_id: str) -> str | None:
    """By which a new row of this page (carriers-7) is known; None without a page's key."""
    key, place = key_sent(), row_id.rpartition("-")[2]
    return f"{key}-{place}" if key and place.isdecimal() and len(place) < 7 else None


def remember_page(model: Application | Carrier, row_id: str = "") -> None:
    """Note by which page it is being saved."""
    model.page_key = carrier_key(row_id) if isinstance(model, Carrier) else key_sent()
