"""What every screen of applications shares: list, details, acts, attachments, certificate, export."""

from pathlib import PurePath
from typing import Any, BinaryIO

from flask import Response, abort, current_app, flash, redirect, render_template, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup

from models import customs, workflow
from models.acts import filing, printing
from models.application import Application, disclosure
from models.application.attachments import SHOWN_IN_BROWSER, Attachment, named
from models.application.carriers import Carrier
from models.application.changes import explain
from models.application.trail import TrailEntry
from models.columns import displayed
from models.database import db
from models.vocabulary import Action, AttachmentKind, Ground, Reason
from models.workflow import Refused
from views.entrance import security
from views.entrance.security import local
from views.panel import export, spreadsheet
from views.panel.acts import WORDS, Link, facts_of, question, result
from views.panel.display import Button, tag
from views.panel.download import name_plainly
from views.panel.fields import number_of
from views.panel.query import OwnQuery
from views.panel.screen import labels_of
from views.resources import office, store, unanswered
from views.screens.printing import NotMadeYet, PrintScreen, state_of

BY_PINYIN = (("title", "title_sort"), ("publisher_name", "publisher_sort"))
APART = {Action.EDIT, Action.COPY}  # which take more than a click on one row, and have doors of their own
PERFORMED = ", ".join(action.value for action in Action if action not in APART)


class FilingScreen(PrintScreen):
    """Applications, as far as the signed-in account sees them; one subclass a role and purpose."""

    acts: tuple[Action, ...] = ()  # in the list
    page_acts: tuple[Action, ...] = ()  # on the page of one application
    exchange = False  # whether its readers also have 数据交换
    opens = PrintScreen.opens | {"perform", "attachment"}
    page_size_options: Any = (10, 20, 50, 100, printing.MOST)
    can_view_details = can_export = True
    query_form = OwnQuery
    column_list: Any = ("number", "title", "publisher_name", "applied_on", "status", "acts")
    column_sortable_list: Any = (("number", "id"), *BY_PINYIN, "applied_on", ("status", "status_order"))
    column_labels = labels_of(Application) | {"acts": _l("操作"), "waited": _l("已等候")}
    column_formatters: Any = {
        "number": lambda view, _context, row, _name: view.numbered(row),
        "status": lambda view, _context, row, _name: tag(row),
        "acts": lambda view, _context, row, _name: "",  # drawn by list.html
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Application, db, **kwargs)

    def _get_default_order(self) -> Any:
        """Newest first; with a date range by date, so that status, range and order are one index range."""
        query = self.query()
        ranged = query is not None and (query.since.data or query.until.data)
        names = ("applied_on", "id") if ranged else ("id",)
        return [(getattr(Application, name), [], True) for name in names]

    # What a row offers
    def buttons(self, row: Application, acts: tuple[Action, ...] | None = None) -> list[Button]:
        """The acts of this screen on `row`; each asks the rule, dimmed with its sentence when refused."""
        return [
            Button(
                name=action.value,
                label=action.label,
                address=f"{self.door(action)}?version={row.version}",
                ask=question(action, row),
                refusal=self.refusal(action, row),
                opinion=workflow.RULES[action].opinion,
                reason=action is Action.REVOKE,
                opens=action is Action.PRINT,
                style=WORDS[action].style,
            )
            for action in (self.acts if acts is None else acts)
        ]

    def refusal(self, action: Action, row: Application) -> str | None:
        """Why not, by the rule; customs' last answer is looked up for the one act that it decides."""
        rejected = action is Action.RESEND and customs.rejected(customs.last(db.session(), row))
        return workflow.refusal(action, row.status, current_user.role, rejected)

    def door(self, action: Action) -> str:
        """Where the act is posted."""
        return self.path(".copy") if action is Action.COPY else self.path(".perform", action=action.value)

    def endpoint_of(self, row: Application) -> str:
        """The form while the application may be edited here, else the details."""
        editable = self.can_edit and not workflow.refusal(Action.EDIT, row.status, current_user.role)
        return ".edit_view" if editable else ".details_view"

    def opening(self, row: Application) -> str:
        return _("编辑") if ".edit" in self.endpoint_of(row) else _("查看")

    def numbered(self, row: Application) -> Markup:
        """The blue 申请单号 (手册 第二章)."""
        deleted = Markup('<span class="badge badge-light">{}</span>').format(_("申请人已删除"))
        link = Markup('<a class="number" href="{}">{}</a>').format(self.address_of(row), row.number)
        return link + " " + deleted if row.deleted_at else link

    def render(self, template: str, **kwargs: Any) -> Any:
        page: dict[str, Any] = {
            "basics": displayed(Application),
            "carrier_fields": displayed(Carrier),
            "kinds": AttachmentKind,
            "grounds": Ground,
            "entries_of": history,
            "unanswered": unanswered,
            "newest": disclosure.NEWEST,
            "reasons": Reason,
            "carrier_labels": labels_of(Carrier),
            "explain": explain,
            "tag": tag,
            "paper_state": state_of,
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
        if refused and workflow.RULES[wanted].opinion:
            raise refused  # its page gives back the words that were written
        if refused:
            return self.not_printed(refused) if wanted is Action.PRINT else self.show_refusal(refused, key)
        if wanted is Action.PRINT:
            return redirect(self.get_url(".certificate", id=key), 303)
        self.flash_result(wanted, row, facts, local(request.form.get("url")) or self.get_url(".index_view"))
        return self.back()

    def flash_result(self, action: Action, row: Application, facts: dict[str, str], shown_on: str) -> None:
        """Flash the panel of a committed act for the page `shown_on`; `facts` were read before it."""
        links: list[Link] = [(_("返回列表"), self.get_url(".index_view"))]
        if action is not Action.DELETE:  # which has hidden the row from its owner
            facts |= {"certificate": row.certificate.number} if row.certificate else {}
            links.insert(0, (_("查看"), self.get_url(".details_view", id=row.id)))
        if self.can_create:
            links.append((_("继续新建"), self.get_url(".create_view")))
        panel = render_template("panel/result.html", **result(action, facts, links, shown_on))
        flash(Markup(panel), "result")

    def attempt_and_commit(self, action: Action, row: Application) -> Refused | None:
        """Do the act and commit; None, or after a rollback the reason why it was refused."""
        try:
            if action is Action.PRINT:
                self.paper_of(row)  # first: a print that is recorded was one
            filing.perform(db.session(), action, row, current_user, office=office(), **self.particulars())
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            return refused
        return None

    def show_refusal(self, refused: Refused, key: int) -> Any:
        """Back to where the person came from, or to the form and what it lacks."""
        flash(str(refused), "error")
        if isinstance(refused, filing.Incomplete):
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

    # Files
    @expose("/attachment/")
    def attachment(self) -> Response:
        """A file, under its own name; the bytes cannot run anything in our name, whatever they are."""
        key = number_of(request.args.get("id"))
        file = db.session().get(Attachment, key) if key is not None else None
        if (
            file is None
            or self.get_one(file.application_id) is None
            or not disclosure.may_read(db.session(), file, current_user)
        ):
            abort(404)
        inline = file.media_type in SHOWN_IN_BROWSER and "download" not in request.args
        response = send_file(
            content_of(file),
            mimetype=file.media_type,
            as_attachment=not inline,
            download_name=named(file.name, file.media_type),
            etag=file.digest,
            conditional=False,
        )
        name = named(file.name, file.media_type)
        name_plainly(response, name, f"attachment-{file.id}{PurePath(name).suffix}")
        response.content_length = file.size
        response.make_conditional(request, accept_ranges=True, complete_length=file.size)
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        return response

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """The rows of the present query, at most as many as the pager reaches; the list's columns come first."""
        if export_type not in spreadsheet.TYPES:
            abort(404)
        name = str(self.name)
        _count, rows = self.get_list(0, None, False, None, None, page_size=export.MOST + 1)
        fields = (*self.column_list, *displayed(Application))
        sheets = export.sheets(name, rows, fields, displayed(Carrier))
        return spreadsheet.download(export_type, name, str(self.endpoint), sheets)


def content_of(file: Attachment) -> BinaryIO:
    """The bytes of an attachment; lost ones are a refusal, with the number under which the log tells of it."""
    try:
        return store().open(file.digest)
    except FileNotFoundError:
        number = security.incident()
        current_app.logger.exception("attachment %s has lost its bytes: %s", file.id, file.digest)
        sentence = _(
            "没有找到附件“%(name)s”的内容，请把事件编号 %(number)s 告知系统管理员，由其从备份中找回。",
            name=file.name,
            number=number,
        )
        raise Refused(sentence) from None


def history(row: Application) -> list[TrailEntry]:
    """The newest entries of 办理过程 and one more, if there are more; all of them for `?history=all`."""
    most = None if request.args.get("history") == "all" else disclosure.NEWEST + 1
    return disclosure.history(db.session(), row, current_user, most)
