"""数据交换: what the province has put in the outbox for customs, and what customs answered."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from models.application import Application
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.db import db
from models.vocabulary import Role
from views.base import Screen, labels_of
from views.filing import tag


class ExchangeScreen(Screen):
    """Messages of the reviewer's own province, newest first."""

    roles = frozenset({Role.REVIEWER})
    column_list = (
        "message_id", "act", "certificate", "application", "status", "queued_at", "attempts", "answered_at", "answer",
    )  # fmt: skip
    column_sortable_list = ("queued_at",)
    column_labels = labels_of(Application, Certificate, CustomsMessage) | {"application": _l("申请单号")}
    column_formatters: Any = {
        "certificate": lambda _view, _context, row, _name: row.certificate.number,
        "application": lambda _view, _context, row, _name: row.application.number,
        "status": lambda _view, _context, row, _name: tag(row.application),
        "answer": lambda _view, _context, row, _name: receipt(row),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CustomsMessage, db, **kwargs)


def receipt(message: CustomsMessage) -> Any:
    """Whether customs accepted, in a word and a colour, and its words; or why there is no answer yet."""
    if message.accepted is None:
        return message.answer
    tone, word = ("success", _("接收成功")) if message.accepted else ("danger", _("接收失败"))
    return Markup('<span class="badge badge-{}">{}</span> {}').format(tone, word, message.answer)
