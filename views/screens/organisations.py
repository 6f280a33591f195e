"""单位: the operator's register of publishers and entrusted units."""

from typing import Any, ClassVar

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
from views.panel.list_export import ListExport
from views.panel.logged import LoggedScreen
from views.panel.query import OrganisationQuery
from views.panel.screen import labels_of
from views.screens.accounts import ACTS, OPERATOR, register_form, shown_province, warn_of_unprintable


def check_credit_code(_form: Any, field: Any) -> None:
    """Validator of the format of a 统一社会信用代码."""
    if field.data and (sentence := credit_code_refusal(field.data)):
        raise StopValidation(sentence)


class Confirmation(BooleanField):
    """A checkbox that confirms an unusual value; not stored."""

    def __call__(self, **kwargs: Any) -> Any:
        """The checkbox without the CSS class of text fields."""
        return super().__call__(**(kwargs | {"class": ""}))

    def populate_obj(self, obj: Any, name: str) -> None:
        """No-op."""


def marked_code(organisation: Organisation) -> Markup:
    """The code, with a tag if its check character is wrong and an operator has confirmed it."""
    if valid_credit_code(organisation.credit_code):
        return escape(organisation.credit_code)
    badge = Markup('{} <span class="badge badge-warning">{}</span>')
    return badge.format(organisation.credit_code, _("校验位不符"))


class OrganisationScreen(ListExport, LoggedScreen):
    """单位: publishers and entrusted units; disabled, never deleted."""

    roles = OPERATOR
    can_create = can_edit = True
    logged = Operation.ORGANISATION_ADDED, Operation.ORGANISATION_CHANGED
    query_form = OrganisationQuery
    column_formatters = {
        "province": lambda _view, _context, row, _name: shown_province(row),
        "credit_code": lambda _view, _context, row, _name: marked_code(row),
    }
    exported: ClassVar[dict[str, Any]] = {"province": shown_province}
    column_list = ("credit_code", "name", "trade", "province", "active", "acts")
    column_sortable_list = (("credit_code", "credit_code"), "name", "province")
    column_labels = labels_of(Organisation) | ACTS
    form_columns = ("credit_code", "confirmed", "name", "trade", "province", "active")
    form_overrides = register_form(Organisation, *form_columns)["overrides"]
    form_args = register_form(Organisation, *form_columns)["args"]
    form_args["credit_code"]["read"] = normalize_code  # so that the unique constraint ignores case
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
        return self._with_confirmation(super().create_form(obj), None)

    def edit_form(self, obj: Any = None) -> Any:
        return self._with_confirmation(super().edit_form(obj), obj)

    def _with_confirmation(self, form: Any, organisation: Organisation | None) -> Any:
        """The form; the field `confirmed` stays only for a new code of right format and wrong check character."""
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
