"""委托: a publisher invites a unit to apply for it, the unit accepts; either side can end it."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.orm import Session
from wtforms.validators import DataRequired

from models import clock
from models.database import db
from models.log import Operation
from models.notifications import entrustments
from models.notifications.events import Event
from models.people import entrusting
from models.people.accounts import Account, Entrustment
from models.vocabulary import Role, Trade
from views.panel.display import Button
from views.panel.fields import PlainTextField
from views.panel.list_export import ListExport
from views.panel.logged import note
from views.panel.saving import commit_then_flash
from views.panel.screen import labels_of
from views.screens.accounts import ACTS, register_form

Act = Callable[[Session, Entrustment, Account], None]
DONE: dict[str, tuple[Act, Event, Operation, Any]] = {
    "accept": (
        entrusting.accept,
        Event.ENTRUSTED,
        Operation.ENTRUSTMENT_ACCEPTED,
        _l("已接受，现在可以为该出版单位办理申请。"),
    ),
    "decline_offer": (
        entrusting.decline,
        Event.ENTRUSTMENT_DECLINED,
        Operation.ENTRUSTMENT_DECLINED,
        _l("已谢绝，并已告知对方。"),
    ),
    "withdraw_offer": (
        entrusting.withdraw,
        Event.ENTRUSTMENT_WITHDRAWN,
        Operation.ENTRUSTMENT_WITHDRAWN,
        _l("邀请已撤销，并已告知对方。"),
    ),
    "end": (
        entrusting.end,
        Event.ENTRUSTMENT_ENDED,
        Operation.ENTRUSTMENT_ENDED,
        _l("已终止。已申报的申请不受影响，未申报的草稿须改选出版单位后才能申报。"),
    ),
}


def notify_and_log(row: Entrustment, event: Event, kind: Operation) -> None:
    """Notify both units and add a log entry; the caller commits."""
    entrustments.notify_both(db.session(), event, row, f"entrustment-{row.id}-{kind.value}")
    about = f"{row.publisher.credit_code} → {row.agent.credit_code}"
    note(kind, about, f"{row.since} – {row.until}")


class EntrustingScreen(ListExport):
    """The entrustments given or accepted by one's own unit; row security hides all others."""

    roles = frozenset({Role.PUBLISHER})
    opens = frozenset({"change"})
    column_list = ("publisher", "agent", "since", "until", "state", "acts")
    column_sortable_list = ("since", "until")
    column_labels = labels_of(Entrustment) | ACTS | {"state": _l("状态")}
    column_formatters = {
        "publisher": lambda _view, _context, row, _name: row.publisher.name,
        "agent": lambda _view, _context, row, _name: row.agent.name,
        "state": lambda _view, _context, row, _name: entrusting.state(row),
    }
    exported: ClassVar[dict[str, Any]] = {
        "publisher": lambda row: row.publisher.name,
        "agent": lambda row: row.agent.name,
        "state": entrusting.state,
    }
    form_columns = ("agent", "since", "until")
    form_overrides = register_form(Entrustment, "since", "until")["overrides"]
    form_args = register_form(Entrustment, "since", "until")["args"]
    form_extra_fields = {
        "agent": PlainTextField(
            _l("受托单位"), [DataRequired()], most=160, description=_l("单位全称或 18 位统一社会信用代码")
        )
    }
    address_of: Any = None  # an entrustment has no page: it is ended and given again

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Entrustment, db, **kwargs)

    @property
    def can_create(self) -> bool:  # type: ignore[override]
        """Whether the unit is a publisher: only a publisher can entrust others."""
        unit = current_user.organisation if current_user else None
        return unit is not None and unit.trade is Trade.PUBLISHER

    def save(self, form: Any, model: None) -> Entrustment:
        row = entrusting.invite(db.session(), current_user, form.agent.data, form.since.data, form.until.data)
        notify_and_log(row, Event.ENTRUSTMENT_OFFERED, Operation.ENTRUSTMENT_OFFERED)
        return row

    def buttons(self, row: Entrustment) -> list[Button]:
        if row.ended_at or row.until < clock.today():
            return []
        is_publisher = row.publisher_id == current_user.organisation_id
        publisher, unit = row.publisher.name, row.agent.name
        offered = []
        if row.pending and not is_publisher:
            ask = _("确定要接受 %(publisher)s 的委托吗？接受后贵单位可以代其申请备案。", publisher=publisher)
            offered.append(Button("accept", _("接受"), self.get_url(".change", answer="accept"), ask))
        answer, word = ("end", _("终止"))
        if row.pending:
            answer, word = ("withdraw_offer", _("撤销邀请")) if is_publisher else ("decline_offer", _("谢绝"))
        ask = _("确定要%(word)s吗？委托方 %(publisher)s，受托方 %(unit)s。", word=word, publisher=publisher, unit=unit)
        return [*offered, Button(answer, word, self.get_url(".change", answer=answer), ask)]

    @expose("/<any(accept, decline_offer, withdraw_offer, end):answer>/", methods=("POST",))
    def change(self, answer: str) -> Any:
        """Do what DONE says and commit; refused if either side has changed the entrustment meanwhile."""
        row = self.named_row(request.form.get("id"))
        change, event, kind, done = DONE[answer]

        def act() -> str:
            change(db.session(), row, current_user)
            notify_and_log(row, event, kind)
            return str(done)

        commit_then_flash(act)
        return self.back()

    def get_empty_list_message(self) -> str:
        if self.can_create:
            return _("贵单位没有委托其他单位。需要委托时请点击“新建”，填写受托单位，对方接受后即可代贵单位申请。")
        return _("没有出版单位委托贵单位。收到邀请后会显示在这里，接受后即可代其申请。")
