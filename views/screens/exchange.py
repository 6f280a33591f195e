"""数据交换: messages to customs and their state; for the operator only counts and comparisons."""

import re
from datetime import timedelta
from typing import Any, ClassVar

from flask import Response, flash, g, render_template, request
from flask_admin import expose
from flask_babel import format_timedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import access, customs, workflow
from models.acts import filing, message_acts
from models.application import Application
from models.application.disclosure import NEWEST
from models.certificate import Certificate
from models.customs import CustomsMessage, CustomsNote, reconciliation
from models.customs.health import health, latest_unreadable
from models.customs.reconciliation import Reconciliation
from models.database import db
from models.language import listed
from models.log import Handout
from models.numbering import certificate_series
from models.vocabulary import Action, Role, Step, Word
from models.workflow import MESSAGE_ACTS, Refused
from views.panel.acts import button, result
from views.panel.display import Button, once, tag
from views.panel.fields import number_of
from views.panel.list_export import ListExport
from views.panel.logged import note_handout_and_commit
from views.panel.query import ExchangeQuery
from views.panel.screen import labels_of
from views.resources import pace
from views.screens import menu_counts
from views.screens.exchange_rows import MessageTemplate, Offered, badges, states, unanswered_since
from views.screens.history import older_than


def address_of(act: Word) -> str:
    """The act in an address: set_aside as /exchange/set-aside/."""
    return act.value.replace("_", "-")


BY_ADDRESS: dict[str, Word] = {address_of(act): act for act in (*MESSAGE_ACTS, Action.RESEND)}
PERFORMED = ", ".join(f"'{address}'" for address in BY_ADDRESS)


class ExchangeScreen(ListExport):
    """Messages of the reviewer's own province, newest first."""

    roles = frozenset({Role.REVIEWER})
    opens = frozenset({"perform", "letter"})
    can_view_details = True
    list_template, details_template = "screens/exchange.html", "screens/message.html"
    query_form = ExchangeQuery
    column_list = (
        "message_id", "act", "application", "status", "state", "queued_at", "answer", "acts",
    )  # fmt: skip
    column_sortable_list = ("queued_at",)
    column_labels = labels_of(Application, Certificate, CustomsMessage) | {
        "application": _l("申请单号"),
        "state": _l("交换状态"),
        "attempts": _l("发送和查询次数"),
        "acts": _l("操作"),
    }
    column_formatters: Any = {
        "application": lambda _view, _context, row, _name: row.application.number,
        "status": lambda _view, _context, row, _name: tag(row.application),
        "state": lambda _view, _context, row, _name: badges(row),
    }
    exported: ClassVar[dict[str, Any]] = {
        "application": lambda row: row.application.number,
        "status": lambda row: row.application.status,
        "state": lambda row: listed(label for _tone, label in states(row)),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CustomsMessage, db, **kwargs)

    def menu_count(self) -> str:
        """The number of certificates and messages that wait for the province, for the menu."""
        return menu_counts.shown(menu_counts.counts().failed)

    # The list
    def get_query(self) -> Any:
        return super().get_query().options(joinedload(CustomsMessage.application))

    def get_list(self, *args: Any, **options: Any) -> tuple[int, list[Any]]:
        count, rows = super().get_list(*args, **options)
        refused = [row.application_id for row in rows if customs.is_rejected(row)]
        g.last = customs.last_ids(db.session(), refused) if refused else set()
        return count, rows

    def _get_default_order(self) -> Any:
        """Newest first; with a date range by date, so that range and order are one index range."""
        query = self.query()
        ranged = query.since.data or query.until.data
        return [(getattr(CustomsMessage, name), [], True) for name in (("queued_at", "id") if ranged else ("id",))]

    def order(self, sort_column: Any, descending: bool) -> list[Any]:
        """By 报文编号 if its beginning was typed; else as usual."""
        if sort_column != "queued_at" and self.query().number.data:
            return [CustomsMessage.message_id.desc(), CustomsMessage.id.desc()]
        return super().order(sort_column, descending)

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        by = {"queued_at": {"since", "until"}, "message_id": {"number"}}
        return asked <= by.get(order[0], set())

    def endpoint_of(self, row: CustomsMessage) -> str:
        return ".details_view"

    def opening(self, row: CustomsMessage) -> str:
        return once("opening", lambda: _("查看"))

    def buttons(self, row: Any, page: bool = False) -> list[Button]:
        """The acts on a message, with the number of the application for 重发, which creates a new message."""
        offered = row.offered if isinstance(row, MessageTemplate) else self.offered(row, page)
        about: dict[Word, str] = {Action.RESEND: row.application.number}
        return [
            button(act, self.path(".perform", act=address_of(act)), {"number": about.get(act, row.message_id)}, refusal)
            for act, refusal in offered
        ]

    def offered(self, row: CustomsMessage, page: bool = False) -> Offered:
        """放行 for a message that was set aside and 重发 for a rejected one; on the `page` of one message every act."""
        acts, since = MESSAGE_ACTS if page else (Step.RELEASE,), unanswered_since()
        offered = [(act, message_acts.refusal(act, row, current_user, since)) for act in acts]
        status, rejected = row.application.status, customs.is_rejected(row) and self.is_last(row)
        final = once((status, rejected), lambda: workflow.refusal(Action.RESEND, status, current_user.role, rejected))
        return (*offered, (Action.RESEND, final))

    def alike(self, row: CustomsMessage) -> MessageTemplate:
        return MessageTemplate(self.offered(row))

    def is_last(self, row: CustomsMessage) -> bool:
        """Whether this is the last message about its application; for a list g.last holds the last ids."""
        return row.id in (g.last if "last" in g else customs.last_ids(db.session(), [row.application_id]))

    @expose("/letter/")
    def letter(self) -> Any:
        """The bytes that were sent in one attempt. Commits a log entry."""
        row = self.named_row(request.args.get("id"))
        attempt = number_of(request.args.get("attempt"))
        sent = next((letter for letter in row.letters if letter.attempt == attempt and letter.has_raw), None)
        if sent is None:
            flash(_("这一次没有发出报文，请在报文页面选择另一次。"), "error")
            return self.back()
        key, content, number = row.id, sent.raw, row.application.number
        note_handout_and_commit(Handout.MESSAGE, number, words=row.message_id)
        name = f"attachment; filename=customs-{key}-{attempt}.xml"
        return Response(content, headers={"Content-Disposition": name}, mimetype="text/xml")

    @expose(f"/<any({PERFORMED}):act>/", methods=("POST",))
    def perform(self, act: str) -> Any:
        """Perform an act on one message and commit; if it is refused, the error page returns a typed opinion."""
        row, wanted = self.named_row(request.form.get("id")), BY_ADDRESS[act]
        about = row.application.number if wanted is Action.RESEND else row.message_id  # 重发 creates a new message
        panel = result(wanted, {"number": about}, (), "")
        try:
            self.act_on(wanted, row)
            db.session().commit()
            flash(Markup(render_template("panel/result.html", **panel)), "result")
        except Refused as refused:
            db.session().rollback()
            if request.form.get("opinion"):
                raise
            flash(str(refused), "error")
        return self.back()

    def act_on(self, act: Word, row: CustomsMessage) -> None:
        """Perform an act on a message, or on its application. Raises Refused; the caller commits or rolls back."""
        if isinstance(act, Action):
            filing.perform(db.session(), act, row.application, current_user)
        else:
            opinion, since = request.form.get("opinion", ""), pace().unanswered_since()
            message_acts.perform(db.session(), Step(act), row, current_user, since, opinion)

    def render(self, template: str, **kwargs: Any) -> Any:
        page: dict[str, Any] = {"badges": badges, "tag": tag, "written": written}
        page |= {"notes_of": notes, "newest": NEWEST, "older_than": older_than}
        if template == self.list_template:
            last = reconciliation.latest(db.session())
            own = last.differences_of(certificate_series(current_user.province)) if last else []
            page |= {"health": health(db.session(), pace()), "last": last, "differences": own, "span": span}
        return super().render(template, **(page | kwargs))


class TrafficScreen(ListExport):
    """数据交换 for the operator: counts and ages, unreadable receipts, and every comparison of the ledgers.

    Shows no application: receipts about one are visible to its province only.
    """

    roles = frozenset({Role.OPERATOR})
    list_template = "screens/exchange.html"
    column_list = ("made_at", "day", "messages", "ledger_entries", "found")
    column_labels = labels_of(Reconciliation)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Reconciliation, db, **kwargs)

    def render(self, template: str, **kwargs: Any) -> Any:
        with access.everything() as session:
            page = {"health": health(session, pace()), "strange": latest_unreadable(session), "span": span}
            return super().render(template, **(page | kwargs))


def notes(message: CustomsMessage) -> list[CustomsNote]:
    """Up to NEWEST + 1 notes of a message, newest first; for `?notes=<id>` of those before this one."""
    found = select(CustomsNote).where(CustomsNote.customs_message_id == message.id).order_by(CustomsNote.id.desc())
    start = older_than("notes")
    older = found if start is None else found.where(CustomsNote.id < start)
    return list(db.session.scalars(older.limit(NEWEST + 1)))


def span(waited: timedelta) -> str:
    """A duration with a space after the number, as everywhere: 2 个月."""
    return re.sub(r"(?<=\d)(?=\D)", " ", format_timedelta(waited, granularity="minute"))


def written(message: CustomsMessage) -> str:
    """The business message as XML text, or a sentence why it cannot be generated."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    from models.customs import envelope

    try:
        return envelope.business_xml(message).decode()
    except (etree.LxmlError, ValueError) as why:
        return _("无法生成报文：%(why)s", why=why)
