"""单位: the operator's register of presses and of the units they entrust."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from wtforms import BooleanField
from wtforms.validators import DataRequired, StopValidation

from models import access
from models.acts.organisations import check_trade
from models.database import db
from models.log import Operation
from models.people.accounts import Organisation, credit_code_refusal, valid_credit_code
from models.text import normalize_code
from views.panel.logged import LoggedScreen
from views.panel.query import OrganisationQuery
from views.panel.screen import labels_of
from views.screens.accounts import ACTS, OPERATOR, named, shown_province, warn_of_unprintable


def check_credit_code(_form: Any, field: Any) -> None:
    """Validator of the shape of a 统一社会信用代码."""
    if field.data and (sentence := credit_code_refusal(field.data)):
        raise StopValidation(sentence)


class Confirmation(BooleanField):
    """A tick that is asked for only where something is unusual; it is stored nowhere."""

    def __call__(self, **kwargs: Any) -> Any:
        """Without the class that a text field is drawn with."""
        return super().__call__(**(kwargs | {"class": ""}))

    def populate_obj(self, obj: Any, name: str) -> None:
        """No-op."""


def marked_code(organisation: Organisation) -> Markup:
    """The code; after it a mark where its check sign is wrong, which an operator has confirmed."""
    if valid_credit_code(organisation.credit_code):
        return escape(organisation.credit_code)
    badge = Markup('{} <span class="badge badge-warning">{}</span>')
    return badge.format(organisation.credit_code, _("校验位不符"))


class OrganisationScreen(LoggedScreen):
    """单位: presses and the units they entrust; disabled, never deleted."""

    roles = OPERATOR
    can_create = can_edit = True
    logged = Operation.ORGANISATION_ADDED, Operation.ORGANISATION_CHANGED
    query_form = OrganisationQuery
    column_formatters = {
        "province": lambda _view, _context, row, _name: shown_province(row),
        "credit_code": lambda _view, _context, row, _name: marked_code(row),
    }
    column_list = ("credit_code", "name", "trade", "province", "active", "acts")
    column_sortable_list = (("credit_code", "credit_code"), "name", "province")
    column_labels = labels_of(Organisation) | ACTS
    form_columns = ("credit_code", "confirmed", "name", "trade", "province", "active")
    form_overrides = named(Organisation, *form_columns)["overrides"]
    form_args = named(Organisation, *form_columns)["args"]
    form_args["credit_code"]["read"] = normalize_code  # a twin in small letters is a twin
    form_args["credit_code"]["validators"].append(check_credit_code)
    form_extra_fields = {
        "confirmed": Confirmation(
            _l("校验位不符仍登记"),
            validators=[DataRequired(_l("校验位与前 17 位不符，请对照证照核对；证照确实如此的，请勾选后再保存。"))],
        )
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Organisation, db, **kwargs)

    def about(self, row: Organisation) -> str:
        return row.credit_code

    def create_form(self, obj: Any = None) -> Any:
        return self._asking(super().create_form(obj), None)

    def edit_form(self, obj: Any = None) -> Any:
        return self._asking(super().edit_form(obj), obj)

    def _asking(self, form: Any, organisation: Organisation | None) -> Any:
        """The form, asking for a confirmation only of a new code whose shape is right and whose check sign is not."""
        code = form.credit_code.data or ""
        confirmed = organisation is not None and organisation.credit_code == code
        if confirmed or credit_code_refusal(code) or valid_credit_code(code):
            del form.confirmed
        return form

    def save(self, form: Any, model: Organisation | None) -> Organisation:
        if model:
            with access.everything() as session:
                check_trade(session, model, form.trade.data)
        organisation: Organisation = super().save(form, model)
        warn_of_unprintable(organisation)
        return organisation
