"""Idempotency key of a form page: a save that is sent again, because its answer was lost, does not do its work twice.

Without it a blank form saved twice would make two drafts, and every new carrier row would be stored twice.
"""

import hashlib
import re
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import HiddenField

from models.acts import drafts, reissue
from models.application import Application
from models.application.carriers import Carrier
from models.database.locks import Lock, wait_for
from models.people.accounts import Account
from views.entrance.security import random_name

KEY = re.compile(r"[\w-]{20,32}", re.ASCII)


class PageKey(HiddenField):
    """Hidden field: a new key for each rendered page; a form shown again keeps the submitted key."""

    def process_data(self, value: Any) -> None:
        self.data = random_name()

    def populate_obj(self, obj: Any, name: str) -> None:
        """No-op: remember_page() sets it."""


def key_sent() -> str | None:
    """The key of the page that sent this form; None without one."""
    key = request.form.get("page_key", "")
    return key if KEY.fullmatch(key) else None


def draft_of_page(session: Session, by: Account) -> Application | None:
    """The draft that an earlier save of this page has made; None if there is none."""
    key = key_sent()
    return None if key is None else _draft_with(session, key, by)


def _draft_with(session: Session, key: str, by: Account) -> Application | None:
    made = select(Application).where(Application.page_key == key, Application.owner_id == by.organisation_id)
    return session.scalar(made)


def draft_for_page(session: Session, by: Account) -> Application:
    """The draft that an earlier save of this page has made, or a new one.

    Takes a lock on the page key until the commit: concurrent saves of one page would both find no draft.
    """
    if key := key_sent():
        wait_for(session, Lock.DRAFT, of=key)
    return draft_of_page(session, by) or drafts.new_draft(session, by=by)


def duplicate_for_page(session: Session, old: Application, by: Account) -> Application:
    """The draft that an earlier 复制新建 of `old` on this page has made, or a new one. Takes a lock, as above."""
    if (key := key_sent()) is None:
        return reissue.duplicate(session, old, by)
    wait_for(session, Lock.DRAFT)
    own = hashlib.blake2b(f"{key}-{old.id}".encode(), digest_size=16).hexdigest()
    draft = _draft_with(session, own, by) or reissue.duplicate(session, old, by)
    draft.page_key = own
    return draft


def is_resent(application: Application) -> bool:
    """Whether this page was the last to save the application, so that nobody has changed it since then."""
    return application.page_key is not None and application.page_key == key_sent()


def match_new_rows(rows: Any, application: Application) -> None:
    """Give new rows of this page the ids that an earlier save of the page has stored them under.

    If this page was the last to save, its rows that it does not send any more are removed.
    """
    known: dict[str | None, Carrier] = {each.page_key: each for each in application.carriers if each.page_key}
    for row in rows:
        if not row.get_pk() and (saved := known.get(carrier_key(row.id))):
            row.form.id.data = str(saved.id)
    sent, of_page = {str(row.get_pk()) for row in rows}, f"{key_sent()}-"
    for key, carrier in known.items() if is_resent(application) else ():
        if str(key).startswith(of_page) and str(carrier.id) not in sent:
            application.carriers.remove(carrier)


def carrier_key(row_id: str) -> str | None:
    """The idempotency key of a new row (carriers-7) of this page; None without a page key."""
    key, place = key_sent(), row_id.rpartition("-")[2]
    return f"{key}-{place}" if key and place.isdecimal() and len(place) < 7 else None


def remember_page(model: Application | Carrier, row_id: str = "") -> None:
    """Store the key of the page that saves this row."""
    model.page_key = carrier_key(row_id) if isinstance(model, Carrier) else key_sent()
