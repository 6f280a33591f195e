"""工作台: the first page after signing in, one content a role. Every figure links to its list with the filter set.

Row security is that of the session. Each query ends at a bound: a figure at MOST, a part at a few rows.
"""

from collections.abc import Callable
from typing import Any

from flask import abort
from flask_admin import BaseView, expose
from flask_login import current_user
from sqlalchemy import select

from models.application import blank_forms
from models.database import db
from models.notifications import announcements
from models.notifications.announcements import Announcement
from models.vocabulary import Role
from views.screens.desk import national, operator, publisher, reviewer
from views.screens.desk.parts import ROWS, Desk

DESKS: dict[Role, Callable[[], Desk]] = {
    Role.PUBLISHER: publisher.desk,
    Role.REVIEWER: reviewer.desk,
    Role.NATIONAL: national.desk,
    Role.OPERATOR: operator.desk,
}


class DeskScreen(BaseView):
    """Everybody's; there is nothing to write."""

    def is_accessible(self) -> bool:
        return current_user.is_authenticated and current_user.role in DESKS

    def menu_entries(self) -> list[tuple[Any, str]]:
        """(label, address) of its line in the menu."""
        return [(self.name, f"{self.url}/")]

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        if not self.is_accessible():
            abort(403)

    @expose("/")
    def index(self) -> Any:
        """The desk of whoever is signed in."""
        current = select(Announcement).where(announcements.current(current_user.role))
        shown = db.session.scalars(
            current.order_by(Announcement.since.desc(), Announcement.id.desc()).limit(ROWS)
        ).all()
        desk = DESKS[current_user.role]()
        blanks = blank_forms.listed(db.session()) if desk.begin else {}
        return self.render("screens/desk.html", desk=desk, blanks=blanks, announcements=shown)
