"""The province: 待审核, what waits and for how long; 全部申请, everything that was ever submitted to it."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import func, select

from models import clock, workflow
from models.acts import withdrawal
from models.application import Application
from models.database import db
from models.vocabulary import Action, Role
from views.panel import deadlines
from views.panel.filing_query import ProvinceQuery
from views.panel.query import QueueQuery
from views.screens.case import CaseScreen
from views.screens.filing import FilingScreen
from views.screens.filing_order import BY_PINYIN
from views.screens.together import TogetherScreen

MOST_IN_MENU = 99
LOOKS = frozenset({"details_view", "preview"})  # pages that open an application


def waited(_view: Any, _context: Any, row: Application, _name: str) -> str:
    """How long an application has waited, in whole days of Beijing time."""
    days = (clock.today() - row.submitted_at.date()).days if row.submitted_at else 0
    return _("%(days)s 天", days=days) if days else _("今天")


class ProvinceScreen(CaseScreen):
    """What the reviewers of a province see. Whoever opens what waits ends the time in which it may be withdrawn."""

    roles = frozenset({Role.REVIEWER})
    exchange = True

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if fn.__name__ in LOOKS and request.method == "GET" and (row := self.get_one(request.args.get("id"))):
            withdrawal.note_opening(db.session(), row)
            db.session().commit()
        return super()._run_view(fn, *args, **kwargs)


class ReviewScreen(TogetherScreen, ProvinceScreen):
    """待审核, oldest first."""

    query_form = QueueQuery
    can_export = False
    opens = TogetherScreen.opens | ProvinceScreen.opens
    acts = (Action.GRANT, Action.RETURN)
    column_list = ("number", "title", "publisher_name", "filing", "submitted_at", "waited", "due_on", "acts")
    column_sortable_list = (("number", "id"), *BY_PINYIN, "submitted_at", "due_on")
    column_formatters = FilingScreen.column_formatters | {
        "waited": waited,
        "due_on": lambda _view, _context, row, _name: deadlines.tag(row),
    }

    def menu_count(self) -> str:
        """How many wait, in the menu of every page: up to 99, read off an index."""
        waiting = select(Application.id).where(Application.status.in_(workflow.AWAITING)).limit(MOST_IN_MENU + 1)
        found = db.session.query(func.count()).select_from(waiting.subquery()).scalar() or 0
        return f"{MOST_IN_MENU}+" if found > MOST_IN_MENU else str(found or "")

    def narrow(self, query: Any) -> Any:
        return super().narrow(query.filter(Application.status.in_(workflow.AWAITING)))

    def _get_default_order(self) -> Any:
        return [(Application.submitted_at, [], False), (Application.id, [], False)]

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        return False  # few wait at a time


class FilingsScreen(ProvinceScreen):
    """全部申请 of the province, any status but drafts."""

    query_form = ProvinceQuery
    acts = (Action.PRINT,)
