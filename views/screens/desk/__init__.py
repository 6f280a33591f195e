"""工作台: the first page after sign-in, by role. Every figure links to its list with the filter set.

Each query is bounded: a figure counts up to MOST, a part shows a few rows.
"""

from collections.abc import Callable
from typing import Any

from flask_admin import expose
from flask_login import current_user
from sqlalchemy import select

from models.application import blank_forms
from models.database import db
from models.notifications import announcements
from models.notifications.announcements import Announcement
from models.vocabulary import Role
from views.panel.page import Page
from views.screens.desk import national, operator, publisher, reviewer
from views.screens.desk.parts import ROWS, Desk

DESKS: dict[Role, Callable[[], Desk]] = {
    Role.PUBLISHER: publisher.desk,
    Role.REVIEWER: reviewer.desk,
    Role.NATIONAL: national.desk,
    Role.OPERATOR: operator.desk,
}


class DeskScreen(Page):
    """For every role; read-only."""

    roles = frozenset(DESKS)

    @expose("/")
    def index(self) -> Any:
        """The desk of the signed-in account, with current announcements."""
        current = select(Announcement).where(announcements.current(current_user.role))
        shown = db.session.scalars(
            current.order_by(Announcement.since.desc(), Announcement.id.desc()).limit(ROWS)
        ).all()
        desk = DESKS[current_user.role]()
        blanks = blank_forms.listed(db.session()) if desk.begin else {}
        return self.render("screens/desk.html", desk=desk, blanks=blanks, announcements=shown)
