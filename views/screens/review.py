"""Screens of a province: 待审核, its pending cases, and 全部申请, everything that was submitted to it."""

from typing import Any

from flask import current_app, g, jsonify, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from models import workflow
from models.acts import taking, withdrawal
from models.application import Application, known_viruses
from models.database import briefly, db, is_unavailable, release
from models.vocabulary import Action, Role
from views.panel import deadlines, leases
from views.panel.display import clear_cache
from views.panel.filing_query import ProvinceQuery
from views.panel.logged import SECONDS
from views.panel.query import QueueQuery
from views.panel.rows import RowTemplate
from views.screens import menu_counts
from views.screens.case import CaseScreen
from views.screens.filing import FilingScreen
from views.screens.filing_order import BY_PINYIN
from views.screens.together import TogetherScreen

OPENING_VIEWS = frozenset({"details_view", "preview"})  # views that count as opening a case


def waited(_view: Any, _context: Any, row: Application, _name: str) -> str:
    """已等候, in words."""
    days = deadlines.days_waited(row)
    return _("%(days)s 天", days=days) if days else _("今天")


def record_opening_and_commit(row: Application) -> None:
    """Record that a case was opened, which ends 撤回, and renew the reader's own lease.

    While the database cannot be written, a case that was opened before is still shown; its lease is not renewed.
    """
    key, is_holder = row.id, leases.is_own(leases.lease_of(row))
    withdrawal.note_opening(db.session(), row)
    db.session().commit()
    if not is_holder:
        return
    try:
        with briefly(db.session(), SECONDS):
            taking.renew(db.session(), row, current_user)
            db.session().commit()
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        release()
        current_app.logger.warning("the lease of application %s could not be renewed: %s", key, error)


class ProvinceCaseScreen(CaseScreen):
    """Applications of the reviewer's province. Opening a pending case is recorded and ends 撤回."""

    roles = frozenset({Role.REVIEWER})
    exchange = True
    opens = CaseScreen.opens | {"renew"}

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if fn.__name__ in OPENING_VIEWS and request.method == "GET" and (row := self.get_one(request.args.get("id"))):
            record_opening_and_commit(row)
            clear_cache()
        return super()._run_view(fn, *args, **kwargs)

    def refusal(self, action: Action, row: Application) -> str | None:
        refused = super().refusal(action, row)
        if refused or workflow.ACTS[action].holder is None:
            return refused
        return taking.refusal(action, row, leases.lease_of(row), current_user)

    def acts_of_page(self, row: Application) -> tuple[Action, ...]:
        """Of 接办, 接手 and 放回 only those that are possible now."""
        shown = super().acts_of_page(row)
        return tuple(act for act in shown if act not in workflow.INTERNAL or not self.refusal(act, row))

    def render(self, template: str, **kwargs: Any) -> Any:
        model = kwargs.get("model")
        if template == self.details_template and model is not None:
            kwargs |= {"lease": leases.lease_of(model), "lease_badge": leases.badge(model)}
            kwargs["lease_is_own"] = leases.is_own(kwargs["lease"])
        return super().render(template, **kwargs)

    @expose("/renew/", methods=("POST",))
    def renew(self) -> Any:
        """Renew the reader's lease and commit; JSON with its new end, or 409 if it is lost."""
        row = self.named_row(request.args.get("id"))
        until = taking.renew(db.session(), row, current_user)
        db.session().commit()
        if until is None:
            return jsonify(message=_("这份申请不再由您办理，仍可查看；需要时请刷新本页后再接办。")), 409
        return jsonify(until=_("由%(who)s办理至 %(until)s", who=_("您"), until=f"{until:%H:%M}"))


class ReviewScreen(TogetherScreen, ProvinceCaseScreen):
    """待审核, by 办结期限 as on the desk: a resubmission or a short limit would lie behind cases that can wait."""

    query_form = QueueQuery
    opens = TogetherScreen.opens | ProvinceCaseScreen.opens
    acts = (Action.TAKE, Action.GRANT, Action.RETURN)
    column_list = ("number", "title", "publisher_name", "filing", "submitted_at", "waited", "due_on", "acts")
    column_sortable_list = (("number", "id"), *BY_PINYIN, "submitted_at", "due_on")
    column_formatters = FilingScreen.column_formatters | {
        "waited": waited,
        "due_on": lambda _view, _context, row, _name: deadlines.tag(row),
    }

    def numbered(self, row: Application) -> Markup:
        return super().numbered(row) + leases.badge(row)

    def get_list(self, *args: Any, **kwargs: Any) -> tuple[int, list[Any]]:
        count, rows = super().get_list(*args, **kwargs)
        g.infected = known_viruses.applications_with_virus(db.session(), [row.id for row in rows])
        return count, rows

    def alike(self, row: Application) -> RowTemplate | None:
        """None if somebody has taken the case, or a file has a virus, with which 准予备案 is refused."""
        own = leases.lease_of(row) is not None or row.id in g.infected
        return None if own else super().alike(row)

    def menu_count(self) -> str:
        """The number of pending cases for the menu."""
        return menu_counts.shown(menu_counts.counts().pending)

    def narrow(self, query: Any) -> Any:
        return super().narrow(query.filter(Application.status.in_(workflow.AWAITING)))

    def _get_default_order(self) -> Any:
        return [(Application.due_on, [], False), (Application.id, [], False)]

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        return False  # few wait at a time


class FilingsScreen(ProvinceCaseScreen):
    """全部申请 of the province, any status but drafts."""

    query_form = ProvinceQuery
    acts = (Action.PRINT,)
    column_list = ("number", "title", "publisher_name", "applied_on", "status", "amounts", "acts")
