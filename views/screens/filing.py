"""Base class of the screens of applications: list, details, acts, attachments, certificate, export."""

from array import array
from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup, escape
from sqlalchemy.orm import defer, joinedload, undefer

from models import customs, opinions, workflow
from models.acts import filing, printing
from models.acts.completeness import Incomplete, required_of
from models.application import Application
from models.application.attachments import SHOWN_IN_BROWSER
from models.application.carriers import Carrier
from models.application.changes import explain
from models.application.sittings import shown_entries
from models.certificate import Certificate
from models.certificate.display import used_text
from models.columns import displayed
from models.database import commit_and_keep, db
from models.vocabulary import Action, AttachmentKind, Ground, Reason
from models.workflow import Refused
from views.entrance.security import local
from views.panel import deadlines, export
from views.panel.acts import Link, button, facts_of, result
from views.panel.amounts import stored_totals, totals
from views.panel.display import Button, once, tag
from views.panel.fields import number_of
from views.panel.rows import RowTemplate
from views.panel.screen import labels_of
from views.panel.spreadsheet import Sheet
from views.resources import office, unanswered
from views.screens.downloads import DownloadScreen
from views.screens.filing_order import FilingOrder
from views.screens.history import history, older_than, open_opinion, progress
from views.screens.printing import NotMadeYet, PrintScreen, state_of

PERFORMED = ", ".join(action.value for action, act in workflow.ACTS.items() if not act.apart)

# Without its successor, which only a certificate that is not valid has: PostgreSQL plans each join for long.
CERTIFICATE_PARTS = [joinedload(part) for part in (Certificate.paper, Certificate.paper_task, Certificate.uses)]
WITH_CERTIFICATE = joinedload(Application.certificate).options(*CERTIFICATE_PARTS, defer(Certificate.content))
WITH_UNREAD = undefer(Application.unread)

OF_HISTORY: dict[str, Any] = {  # used by screens/history.html
    "history_of": history, "older_than": older_than, "shown_entries": shown_entries, "progress": progress,
    "open_opinion": open_opinion,
}  # fmt: skip


class FilingScreen(FilingOrder, PrintScreen, DownloadScreen):
    """The applications that the account sees; one subclass per role and purpose."""

    acts: tuple[Action, ...] = ()  # in the list
    exchange = False  # whether the role also has the screen 数据交换
    opens = PrintScreen.opens | DownloadScreen.opens | {"perform"}
    page_size_options: Any = (10, 20, 50, 100, printing.MOST)
    can_view_details = can_export = True
    column_list: Any = ("number", "title", "publisher_name", "applied_on", "status", "acts")
    column_labels = labels_of(Application) | {
        "acts": _l("操作"), "waited": _l("已等候"), "amounts": labels_of(Carrier)["quantity"],
    }  # fmt: skip
    column_formatters: Any = {
        "number": lambda view, _context, row, _name: view.numbered(row),
        "status": lambda _view, _context, row, _name: tag(row) + deadlines.below_status(row),
        "amounts": lambda _view, _context, row, _name: stored_totals(row),
        "acts": lambda view, _context, row, _name: "",  # drawn by list.html
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Application, db, **kwargs)

    def _row(self, number: int) -> Any:
        more = {f"{self.endpoint}.details_view": WITH_CERTIFICATE, f"{self.endpoint}.edit_view": WITH_UNREAD}
        more |= {f"{self.endpoint}.perform": WITH_UNREAD}  # 申报 checks it
        query = db.session.query(Application).filter(Application.id == number)
        return query.options(*(option for page, option in more.items() if page == request.endpoint)).one_or_none()

    # What a row offers
    @property
    def page_acts(self) -> tuple[Action, ...]:
        """All acts of the screen's roles, for the page of one application."""
        return workflow.acts_of(self.roles)

    def acts_of_page(self, row: Application) -> tuple[Action, ...]:
        """Those of page_acts that the page of this row shows."""
        return self.page_acts

    def buttons(self, row: Application, acts: tuple[Action, ...] | None = None) -> list[Button]:
        """The buttons of this screen for `row`; a refused one is dimmed and has the reason."""
        facts = facts_of(row)
        return [
            button(
                action,
                f"{self.address_of_act(action)}?version={row.version}",
                facts,
                self.refusal(action, row),
                hidden=workflow.impossible(action, row.status),
            )
            for action in (self.acts if acts is None else acts)
        ]

    def refusal(self, action: Action, row: Application) -> str | None:
        """Why the act is refused for `row`, or None; queries customs' answer only for acts that depend on it."""
        session, last = db.session(), None
        if workflow.ACTS[action].if_rejected:
            last = customs.last_message(session, row)
        words = workflow.refusal(action, row.status, current_user.role, customs.is_rejected(last))
        if words or isinstance(row, RowTemplate):  # which has no files and no trail; see alike()
            return words
        return filing.hindrance(session, action, row)

    def alike(self, row: Application) -> RowTemplate | None:
        """One template for all rows of a status; None for a row whose acts differ from theirs."""
        return RowTemplate(row.status)

    def address_of_act(self, action: Action) -> str:
        """The address to which the act is posted."""
        apart = workflow.ACTS[action].apart
        return self.path(f".{action}") if apart else self.path(".perform", action=action.value)

    def editable(self, row: Application) -> bool:
        """Whether the form of `row` may be opened here."""
        if not self.can_edit:
            return False
        role = once("role", lambda: current_user.role)  # asked twice for each row of a list
        return workflow.allowed(Action.EDIT, row.status, role)

    def endpoint_of(self, row: Application) -> str:
        """The form if the application may be edited here, else the details."""
        return ".edit_view" if self.editable(row) else ".details_view"

    def opening(self, row: Application) -> str:
        return _("编辑") if self.editable(row) else _("查看")

    def numbered(self, row: Application) -> Markup:
        """The blue 申请单号 (手册 第二章)."""
        link = Markup(f'<a class="number" href="{escape(self.address_of(row))}">{escape(row.number)}</a>')
        deleted = Markup(' <span class="badge badge-light">{}</span>')
        return link + deleted.format(_("申请人已删除")) if row.deleted_at else link

    def render(self, template: str, **kwargs: Any) -> Any:
        offered = self.acts if template == self.list_template else self.page_acts
        page: dict[str, Any] = OF_HISTORY | {
            "basics": displayed(Application),
            "carrier_fields": displayed(Carrier),
            "kinds": AttachmentKind,
            "required_of": required_of,
            "grounds": Ground,
            "unanswered": unanswered,
            "advice_while_unanswered": workflow.UNANSWERED,
            "reasons": Reason,
            "carrier_labels": labels_of(Carrier),
            "explain": explain,
            "tag": tag,
            "paper_state": state_of,
            "deadline_facts": deadlines.facts,
            "totals": totals,
            "used_text": used_text,
            "act_rules": workflow.ACTS,
            "valid": workflow.VALID,
            "shown_in_browser": SHOWN_IN_BROWSER,
            "stock_opinions": opinions.listed(db.session()) if {*opinions.WITH_OPINION} & {*offered} else {},
        }
        return super().render(template, **(page | kwargs))

    # Acts
    @expose(f"/<any({PERFORMED}):action>/", methods=("POST",))
    def perform(self, action: str) -> Any:
        """Perform an act on one row and commit; a refusal is shown as a sentence."""
        row = self.named_row(request.form.get("id"))
        wanted, facts, key = Action(action), facts_of(row), row.id
        refused = self.attempt_and_commit(wanted, row)
        if isinstance(refused, NotMadeYet):
            return self.enqueue_paper_then_redirect(row)
        if refused and workflow.ACTS[wanted].opinion:
            raise refused  # the error page returns the typed opinion
        if refused:
            return self.show_print_refusal(refused) if wanted is Action.PRINT else self.show_refusal(refused, key)
        if wanted is Action.PRINT:
            return redirect(self.get_url(".certificate", id=key), 303)
        self.flash_result(wanted, row, facts, local(request.form.get("url")) or self.get_url(".index_view"))
        return self.back()

    def flash_result(self, action: Action, row: Application, facts: dict[str, str], shown_on: str) -> None:
        """Flash the result of a committed act; `facts`: read before the act, `shown_on`: address of the page."""
        if not workflow.ACTS[action].done:
            if words := str(workflow.ACTS[action].result) % facts:
                flash(words, "success")
            return
        links: list[Link] = [(_("返回列表"), self.get_url(".index_view"))]
        if action is not Action.DELETE:  # after which its owner cannot open the row
            facts |= {"certificate": row.certificate.number} if row.certificate else {}
            links.insert(0, (_("查看"), self.get_url(".details_view", id=row.id)))
        if self.can_create:
            links.append((_("继续新建"), self.get_url(".create_view")))
        panel = render_template("panel/result.html", **result(action, facts, links, shown_on))
        flash(Markup(panel), "result")

    def attempt_and_commit(self, action: Action, row: Application, **seen: Any) -> Refused | None:
        """Perform the act and commit: None; or roll back and return the refusal. `seen`: overrides particulars()."""
        try:
            if action is Action.PRINT:
                self.paper_of(row)  # first, so that no print is recorded without its paper
            filing.perform(db.session(), action, row, current_user, office=office(), **(self.particulars() | seen))
            commit_and_keep(db.session())
        except Refused as refused:
            db.session().rollback()
            return refused
        return None

    def show_refusal(self, refused: Refused, key: int) -> Any:
        """Flash the refusal and redirect: back, or to the form if the application is incomplete."""
        flash(str(refused), "error")
        if isinstance(refused, Incomplete):
            return redirect(self.get_url(".edit_view", id=key, check=1), 303)
        return self.back()

    def particulars(self) -> dict[str, Any]:
        """The submitted particulars of the act: version, opinion, legal grounds, reason of a revocation."""
        version = request.args.get("version")
        return {
            "version": None if version is None else number_of(version) or 0,  # an invalid number counts as version 0
            "opinion": request.form.get("opinion", ""),
            "grounds": [ground for ground in Ground if ground.value in request.form.getlist("ground")],
            "reason": self.reason(),
        }

    def reason(self) -> Reason:
        """The reason of a revocation; 其他 if none was chosen, since the opinion is required anyway."""
        chosen = request.form.get("reason") or Reason.OTHER
        return Reason(chosen) if chosen in set(Reason) else abort(400)

    def sheets(self, name: str, ids: "array[int]") -> list[Sheet]:
        """The sheets of an export; the columns of the list come first."""
        found = export.Applications(ids, current_user._get_current_object())
        return export.sheets(name, found, (*self.column_list, *displayed(Application)), displayed(Carrier))
