"""数据交换: messages to customs and what became of them; for the operator, only whether the exchange is well."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Response, abort, flash, render_template, request
from flask_admin import expose
from flask_babel import format_timedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from lxml import etree  # type: ignore[import-untyped,unused-ignore]
from markupsafe import Markup

from models import access, customs, workflow
from models.acts import filing, message_acts
from models.application import Application
from models.certificate import Certificate
from models.customs import CustomsMessage, envelope, reconciliation
from models.customs.health import health, strange
from models.customs.reconciliation import Reconciliation
from models.database import db
from models.numbering import certificate_series
from models.vocabulary import Action, Role, Step, Word
from models.workflow import MESSAGE_RULES, Refused
from views.panel.acts import WORDS, result
from views.panel.display import Button, tag
from views.panel.fields import number_of
from views.panel.query import UNANSWERED, ExchangeQuery
from views.panel.screen import Screen, labels_of
from views.resources import pace


class ExchangeScreen(Screen):
    """Messages of the reviewer's own province, newest first."""

    roles = frozenset({Role.REVIEWER})
    opens = frozenset({"resend", "letter"} | {act.value for act in MESSAGE_RULES})
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
        "acts": _l("操作"),
    }
    column_formatters: Any = {
        "application": lambda _view, _context, row, _name: row.application.number,
        "status": lambda _view, _context, row, _name: tag(row.application),
        "state": lambda _view, _context, row, _name: badges(row),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CustomsMessage, db, **kwargs)

    def endpoint_of(self, row: CustomsMessage) -> str:
        return ".details_view"

    def opening(self, row: CustomsMessage) -> str:
        return _("查看")

    def buttons(self, row: CustomsMessage, page: bool = False) -> list[Button]:
        """放行 for a message that was set aside, 重发 for a certificate that customs did not take; on the `page` of one
        message every act."""
        since = pace().unanswered_since()
        offered: list[tuple[Word, str, str | None]] = [
            (act, row.message_id, message_acts.refusal(act, row, current_user, since))
            for act in (MESSAGE_RULES if page else (Step.RELEASE,))
        ]
        rejected = customs.rejected(row) and customs.last(db.session(), row.application) is row
        final = workflow.refusal(Action.RESEND, row.application.status, current_user.role, rejected)
        offered.append((Action.RESEND, row.application.number, final))
        return [self._button(*each) for each in offered]

    def _button(self, act: Word, about: str, refusal: str | None) -> Button:
        return Button(
            act.value,
            act.label,
            self.path(f".{act}"),
            WORDS[act].ask % {"number": about},
            refusal,
            opinion=isinstance(act, Step) and MESSAGE_RULES[act].opinion,
            style=WORDS[act].style,
        )

    @expose("/letter/")
    def letter(self) -> Any:
        """What left in one attempt, byte for byte."""
        row = self.get_one(request.args.get("id")) or abort(404)
        attempt = number_of(request.args.get("attempt"))
        sent = next((letter for letter in row.letters if letter.attempt == attempt and letter.left), None)
        if sent is None:
            flash(_("这一次没有报文发出，请在报文页面选择其他一次。"), "error")
            return self.back()
        name = f"attachment; filename=customs-{row.id}-{attempt}.xml"
        return Response(sent.raw, headers={"Content-Disposition": name}, mimetype="text/xml")

    @expose("/release/", methods=("POST",))
    def release(self) -> Any:
        """放行: a message that was set aside is tried anew."""
        return self.performed(Step.RELEASE)

    @expose("/ask/", methods=("POST",))
    def ask(self) -> Any:
        """查询: customs is asked at the next round what became of the message."""
        return self.performed(Step.ASK)

    @expose("/set-aside/", methods=("POST",))
    def set_aside(self) -> Any:
        """搁置: customs is asked no more about the message."""
        return self.performed(Step.SET_ASIDE)

    @expose("/settle-accepted/", methods=("POST",))
    def settle_accepted(self) -> Any:
        """人工登记接收成功."""
        return self.performed(Step.SETTLE_ACCEPTED)

    @expose("/settle-rejected/", methods=("POST",))
    def settle_rejected(self) -> Any:
        """人工登记接收失败."""
        return self.performed(Step.SETTLE_REJECTED)

    @expose("/resend/", methods=("POST",))
    def resend(self) -> Any:
        """重发: a certificate that customs did not take is told anew."""
        again = partial(filing.perform, db.session(), Action.RESEND, by=current_user)
        return self.done(Action.RESEND, lambda row: again(row.application))

    def performed(self, act: Step) -> Any:
        """An act on one message."""
        act_on, opinion = message_acts.perform, request.form.get("opinion", "")
        since = pace().unanswered_since()
        return self.done(act, lambda row: act_on(db.session(), act, row, current_user, since, opinion))

    def done(self, act: Word, work: Callable[[CustomsMessage], None]) -> Any:
        """One message, one rule, one transaction; a refusal is a sentence, and what was written is given back."""
        row = self.get_one(request.form.get("id")) or abort(404)
        about = row.application.number if act is Action.RESEND else row.message_id  # 重发 makes a message of its own
        panel = result(act, {"number": about}, (), "")
        try:
            work(row)
            db.session().commit()
            flash(Markup(render_template("panel/result.html", **panel)), "result")
        except Refused as refused:
            db.session().rollback()
            if request.form.get("opinion"):
                raise
            flash(str(refused), "error")
        return self.back()

    def render(self, template: str, **kwargs: Any) -> Any:
        page: dict[str, Any] = {"badges": badges, "tag": tag, "written": written}
        if template == self.list_template:
            last = reconciliation.latest(db.session())
            own = last.differences_of(certificate_series(current_user.province)) if last else []
            page |= {"health": health(db.session(), pace()), "last": last, "differences": own, "span": span}
        return super().render(template, **(page | kwargs))


class TrafficScreen(Screen):
    """数据交换 for the operator: counts and ages, what could not be read, and every comparison of the ledgers.

    No application: what a receipt says of one stands with its province.
    """

    roles = frozenset({Role.OPERATOR})
    list_template = "screens/exchange.html"
    column_list = ("made_at", "day", "ours", "theirs", "found")
    column_labels = labels_of(Reconciliation)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Reconciliation, db, **kwargs)

    def render(self, template: str, **kwargs: Any) -> Any:
        with access.everything() as session:
            page = {"health": health(session, pace()), "strange": strange(session), "span": span}
            return super().render(template, **(page | kwargs))


def span(waited: timedelta) -> str:
    """How long: 2 个月, spaced like every other number on the screens."""
    return re.sub(r"(?<=\d)(?=\D)", " ", format_timedelta(waited, granularity="minute"))


def badges(message: CustomsMessage) -> Markup:
    """How far a message has come, as coloured tags; the words are always there."""
    told = [(message.state.tone, message.state.label)]
    if message.unanswered(pace().unanswered_since()):
        told.append(("warning", UNANSWERED))
    if message.by_hand:
        told.append(("warning", _("人工登记")))
    return Markup(" ").join(Markup('<span class="badge badge-{}">{}</span>').format(*each) for each in told)


def written(message: CustomsMessage) -> str:
    """The business message as it is sent, or why it cannot be written."""
    try:
        return envelope.business_xml(message).decode()
    except (etree.LxmlError, ValueError) as why:
        return _("无法生成报文：%(why)s", why=why)
