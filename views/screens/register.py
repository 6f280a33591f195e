"""备案证明查询: the national authority looks up issued certificates; read-only (手册 第三篇)."""

from typing import Any

from markupsafe import Markup, escape
from sqlalchemy.orm import joinedload

from models.application import Application
from models.certificate import Certificate
from models.codes import names_of
from models.vocabulary import Action, Role
from views.panel.filing_query import NationQuery
from views.panel.screen import labels_of
from views.screens.filing import FilingScreen


class RegisterScreen(FilingScreen):
    """Issued certificates of every province; read-only."""

    roles = frozenset({Role.NATIONAL})
    query_form = NationQuery
    acts = (Action.PRINT,)
    column_list = (
        "number", "certificate", "issued_on", "title", "publisher_name", "province", "applied_on", "status", "amounts",
        "acts",
    )  # fmt: skip
    column_sortable_list = (*FilingScreen.column_sortable_list, "province")
    column_labels = FilingScreen.column_labels | {
        "certificate": labels_of(Certificate)["number"],
        "issued_on": labels_of(Certificate)["issued_on"],
    }
    column_formatters = FilingScreen.column_formatters | {
        "certificate": lambda _view, _context, row, _name: numbered(row.certificate) if row.certificate else None,
        "issued_on": lambda _view, _context, row, _name: row.certificate.issued_on if row.certificate else None,
        "province": lambda _view, _context, row, _name: names_of("province").get(row.province),
    }

    def get_query(self) -> Any:
        shown = joinedload(Application.certificate).load_only(Certificate.number, Certificate.issued_on)
        return super().get_query().options(shown, shown.joinedload(Certificate.uses))


def numbered(certificate: Certificate) -> Markup:
    """The number, and below it the last 核注 or 核销 as a tag."""
    number = escape(certificate.number)
    if not certificate.uses:
        return number
    return number + Markup('<br><span class="badge badge-light">{}</span>').format(certificate.uses[-1].usage.label)
