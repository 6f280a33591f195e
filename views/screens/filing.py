"""What every screen of applications shares: list, details, acts, attachments, certificate, export."""

from typing import Any

from flask import Response, abort, flash, redirect, render_template, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup, escape

from models import customs, opinions, workflow
from models.acts import filing, printing
from models.acts.completeness import Incomplete, required_of
from models.application import Application, disclosure
from models.application.attachments import SHOWN_IN_BROWSER
from models.application.carriers import Carrier
from models.application.changes import explain
from models.application.trail import TrailEntry
from models.certificate.display import total_of
from models.columns import displayed, shown
from models.database import db
from models.vocabulary import Action, AttachmentKind, Ground, Reason, Role
from models.workflow import Refused
from views.entrance.security import local
from views.panel import deadlines, export, spreadsheet
from views.panel.acts import Link, button, facts_of, result
from views.panel.display import Button, tag
from views.panel.fields import number_of
from views.panel.logged import note_export_and_commit
from views.panel.screen import labels_of
from views.resources import office, unanswered
from views.screens.downloads import DownloadScreen
from views.screens.filing_order import FilingOrder
from views.screens.printing import NotMadeYet, PrintScreen, state_of

PERFORMED = ", ".join(action.value for action, act in workflow.ACTS.items() if not act.apart)


class FilingScreen(FilingOrder, PrintScreen, DownloadScreen):
    """Applications, as far as the signed-in account sees them; one subclass a role and purpose."""

    acts: tuple[Action, ...] = ()  # in the list
    exchange = False  # whether its readers also have 数据交换
    opens = PrintScreen.opens | DownloadScreen.opens | {"perform"}
    page_size_options: Any = (10, 20, 50, 100, printing.MOST)
    can_view_details = can_export = True
    column_list: Any = ("number", "title", "publisher_name", "applied_on", "status", "acts")
    column_labels = labels_of(Application) | {"acts": _l("操作"), "waited": _l("已等候")}
    column_formatters: Any = {
        "number": lambda view, _context, row, _name: view.numbered(row),
        "status": lambda view, _context, row, _name: tag(row),
        "acts": lambda view, _context, row, _name: "",  # drawn by list.html
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Application, db, **kwargs)

    # What a row offers
    @property
    def page_acts(self) -> tuple[Action, ...]:
        """On the page of one application: all that its readers may ever do."""
        return workflow.acts_of(self.roles)

    def acts_of_page(self, row: Application) -> tuple[Action, ...]:
        """Those of page_acts that the page of this row shows."""
        return self.page_acts

    def buttons(self, row: Application, acts: tuple[Action, ...] | None = None) -> list[Button]:
        """The acts of this screen on `row`; each asks the rule, dimmed with its sentence when refused."""
        facts = facts_of(row)
        return [
            button(
                action,
                f"{self.door(action)}?version={row.version}",
                facts,
                self.refusal(action, row),
                hidden=workflow.impossible(action, row.status),
            )
            for action in (self.acts if acts is None else acts)
        ]

    def refusal(self, action: Action, row: Application) -> str | None:
        """Why not, by the rule; customs' last answer is looked up for the one act that it decides."""
        session, last = db.session(), None
        if workflow.ACTS[action].if_rejected:
            last = customs.last_message(session, row)
        told = workflow.refusal(action, row.status, current_user.role, customs.is_rejected(last))
        return told or filing.hindrance(session, action, row)

    def special(self, row: Application) -> bool:
        """Whether the acts of `row` in the list differ from those of other rows of its status."""
        return False

    def door(self, action: Action) -> str:
        """Where the act is posted."""
        apart = workflow.ACTS[action].apart
        return self.path(f".{action}") if apart else self.path(".perform", action=action.value)

    def editable(self, row: Application) -> bool:
        """Whether the form of `row` may be opened here."""
        return bool(self.can_edit) and workflow.allowed(Action.EDIT, row.status, current_user.role)

    def endpoint_of(self, row: Application) -> str:
        """The form while the application may be edited here, else the details."""
        return ".edit_view" if self.editable(row) else ".details_view"

    def opening(self, row: Application) -> str:
        return _("编辑") if self.editable(row) else _("查看")

    def numbered(self, row: Application) -> Markup:
        """The blue 申请单号 (手册 第二章)."""
        link = Markup(f'<a class="number" href="{escape(self.address_of(row))}">{escape(row.number)}</a>')
        deleted = Markup(' <span class="badge badge-light">{}</span>')
        return link + deleted.format(_("申请人已删除")) if row.deleted_at else link

    def render(self, template: str, **kwargs: Any) -> Any:
        page: dict[str, Any] = {
            "basics": displayed(Application),
            "carrier_fields": displayed(Carrier),
            "kinds": AttachmentKind,
            "required_of": required_of,
            "grounds": Ground,
            "entries_of": history,
            "unanswered": unanswered,
            "newest": disclosure.NEWEST,
            "reasons": Reason,
            "carrier_labels": labels_of(Carrier),
            "explain": explain,
            "tag": tag,
            "paper_state": state_of,
            "deadline_facts": deadlines.facts,
            "totals": totals,
            "act_rules": workflow.ACTS,
            "shown_in_browser": SHOWN_IN_BROWSER,
            "stock_opinions": opinions.listed(db.session()) if Role.REVIEWER in self.roles else {},
        }
        return super().render(template, **(page | kwargs))

    # Acts
    @expose(f"/<any({PERFORMED}):action>/", methods=("POST",))
    def perform(self, action: str) -> Any:
        """Every act of every screen: one row, one rule, one transaction; a refusal is a sentence, never a 500."""
        row = self.get_one(request.form.get("id")) or abort(404)
        wanted, facts, key = Action(action), facts_of(row), row.id
        refused = self.attempt_and_commit(wanted, row)
        if isinstance(refused, NotMadeYet):
            return self.ask_for_paper(row)
        if refused and workflow.ACTS[wanted].opinion:
            raise refused  # its page gives back the words that were written
        if refused:
            return self.not_printed(refused) if wanted is Action.PRINT else self.show_refusal(refused, key)
        if wanted is Action.PRINT:
            return redirect(self.get_url(".certificate", id=key), 303)
        self.flash_result(wanted, row, facts, local(request.form.get("url")) or self.get_url(".index_view"))
        return self.back()

    def flash_result(self, action: Action, row: Application, facts: dict[str, str], shown_on: str) -> None:
        """Flash the panel of a committed act for the page `shown_on`; `facts` were read before it."""
        if not workflow.ACTS[action].done:
            if told := str(workflow.ACTS[action].result) % facts:
                flash(told, "success")
            return
        links: list[Link] = [(_("返回列表"), self.get_url(".index_view"))]
        if action is not Action.DELETE:  # which has hidden the row from its owner
            facts |= {"certificate": row.certificate.number} if row.certificate else {}
            links.insert(0, (_("查看"), self.get_url(".details_view", id=row.id)))
        if self.can_create:
            links.append((_("继续新建"), self.get_url(".create_view")))
        panel = render_template("panel/result.html", **result(action, facts, links, shown_on))
        flash(Markup(panel), "result")

    def attempt_and_commit(self, action: Action, row: Application, **seen: Any) -> Refused | None:
        """Do the act and commit; None, or after a rollback why it was refused. `seen`: over particulars()."""
        try:
            if action is Action.PRINT:
                self.paper_of(row)  # first: a print that is recorded was one
            filing.perform(db.session(), action, row, current_user, office=office(), **(self.particulars() | seen))
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            return refused
        return None

    def show_refusal(self, refused: Refused, key: int) -> Any:
        """Back to where the person came from, or to the form and what it lacks."""
        flash(str(refused), "error")
        if isinstance(refused, Incomplete):
            return redirect(self.get_url(".edit_view", id=key, check=1), 303)
        return self.back()

    def particulars(self) -> dict[str, Any]:
        """What the form of the act sent: version seen, opinion, legal grounds, reason of a revocation."""
        version = request.args.get("version")
        return {
            "version": None if version is None else number_of(version) or 0,  # one that is no number saw nothing
            "opinion": request.form.get("opinion", ""),
            "grounds": [ground for ground in Ground if ground.value in request.form.getlist("ground")],
            "reason": self.reason(),
        }

    def reason(self) -> Reason:
        """Why a certificate is revoked; 其他 where none was chosen, for the opinion says it in any case."""
        chosen = request.form.get("reason") or Reason.OTHER
        return Reason(chosen) if chosen in set(Reason) else abort(400)

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """The rows of the present query, at most as many as the pager reaches; the list's columns come first."""
        if export_type not in spreadsheet.TYPES:
            abort(404)
        name = str(self.export_name or self.name)
        _count, rows = self.get_list(0, None, False, None, None, page_size=export.MOST + 1)
        fields = (*self.column_list, *displayed(Application))
        sheets = export.sheets(name, rows, fields, displayed(Carrier))
        answer = spreadsheet.download(export_type, name, str(self.endpoint), sheets)
        note_export_and_commit(name, self.query(), min(len(rows), export.MOST))
        return answer


def totals(row: Application) -> str:
    """共 3 条；1,500 片；20 盒, as on the certificate; without sums as long as a quantity or unit is missing."""
    carriers = [{"unit": str(shown(each, "unit")), "quantity": str(each.quantity)} for each in row.carriers]
    if any(each.unit is None or each.quantity is None for each in row.carriers):
        return _("共 %(count)s 条", count=len(carriers))
    return total_of(carriers)


def history(row: Application) -> list[TrailEntry]:
    """The newest entries of 办理过程 and one more, if there are more; all of them for `?history=all`."""
    most = None if request.args.get("history") == "all" else disclosure.NEWEST + 1
    return disclosure.history(db.session(), row, current_user, most)
