"""The bell in the top bar: the number of unread messages, by one query per page."""

from models.database import db
from models.notifications import MOST_COUNTED, unread_count
from views.panel.display import once


def unread() -> str:
    """The number beside the bell, up to 99+; "" for none."""
    found = once("unread", lambda: unread_count(db.session()))
    return f"{MOST_COUNTED}+" if found > MOST_COUNTED else str(found or "")
