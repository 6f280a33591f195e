"""The province: 待审核, what waits and for how long; 全部申请, everything that was ever submitted to it."""

from typing import Any

from flask_babel import gettext as _

from models import clock, workflow
from models.application import Application
from models.vocabulary import Action, Role
from views.panel.query import ProvinceQuery, QueueQuery
from views.screens.filing import BY_PINYIN, FilingScreen

DECISIONS = (Action.GRANT, Action.RETURN, Action.DECLINE, Action.REFUSE)


def waited(_view: Any, _context: Any, row: Application, _name: str) -> str:
    """How long an application has waited, in whole days of Beijing time."""
    days = (clock.today() - row.submitted_at.date()).days if row.submitted_at else 0
    return _("%(days)s 天", days=days) if days else _("今天")


class ReviewScreen(FilingScreen):
    """待审核, oldest first."""

    roles = frozenset({Role.REVIEWER})
    query_form = QueueQuery
    exchange = True
    can_export = False
    page_acts = (*DECISIONS, Action.PRINT)
    column_list = ("number", "title", "publisher_name", "filing", "submitted_at", "waited", "acts")
    column_sortable_list = (("number", "id"), *BY_PINYIN, "submitted_at")
    column_formatters = FilingScreen.column_formatters | {"waited": waited}

    def narrow(self, query: Any) -> Any:
        return super().narrow(query.filter(Application.status.in_(workflow.AWAITING)))

    def _get_default_order(self) -> Any:
        return [(Application.submitted_at, [], False), (Application.id, [], False)]


class FilingsScreen(FilingScreen):
    """全部申请 of the province, any status but drafts."""

    roles = frozenset({Role.REVIEWER})
    query_form = ProvinceQuery
    exchange = True
    acts = (Action.PRINT,)
    page_acts = (*DECISIONS, Action.PRINT, Action.RESEND, Action.REVOKE)
