"""数据交换: what the province has put in the outbox for customs."""

from typing import Any

from flask_babel import lazy_gettext as _l

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
    column_list = ("message_id", "act", "certificate", "application", "status", "queued_at")
    column_sortable_list = ("queued_at",)
    column_labels = labels_of(Application, Certificate, CustomsMessage) | {"application": _l("申请单号")}
    column_formatters: Any = {
        "certificate": lambda _view, _context, row, _name: row.certificate.number,
        "application": lambda _view, _context, row, _name: row.application.number,
        "status": lambda _view, _context, row, _name: tag(row.application),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CustomsMessage, db, **kwargs)
