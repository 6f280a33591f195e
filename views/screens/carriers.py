"""Inline form for 载体信息 (手册 第一章)."""

from typing import Any

from flask_admin.contrib.sqla.fields import InlineModelFormList
from flask_admin.contrib.sqla.form import InlineModelConverter
from flask_admin.form import BaseForm
from flask_admin.model.form import InlineFormAdmin
from wtforms.fields.core import Label
from wtforms.utils import unset_value
from wtforms.validators import DataRequired, InputRequired

from models.application import MOST_CARRIERS, whole_pieces
from models.application.carriers import Carrier
from models.columns import written
from models.database import Exact
from views.panel import repeated_saves, unreadable_text
from views.panel.checks import REQUIRED
from views.panel.display import once
from views.panel.fields import AmountField, CodeText
from views.panel.screen import form_args_of, labels_of

CARRIER = written(Carrier)


def carrier_form_args() -> tuple[dict[str, Any], dict[str, Any]]:
    """(form_overrides, form_args) of a row: codes are typed, and required cells have a validator."""
    overrides, args = form_args_of(Carrier, CARRIER)
    for column in (Carrier.__table__.columns[name] for name in CARRIER):
        if "codes" in column.info:
            overrides[column.key] = CodeText
        elif isinstance(column.type, Exact):
            overrides[column.key], args[column.key] = AmountField, {}
        if column.info.get("required"):  # InputRequired: 0 and letters get the error of AmountField
            filled = InputRequired if overrides[column.key] is AmountField else DataRequired
            args[column.key]["validators"] = [filled(REQUIRED)]
    return overrides, args


def copied(made: Any, form: Any, name: str) -> Any:
    """A field for another form: a copy of `made`, which has read no input yet."""
    field = object.__new__(type(made))  # Field.__new__ would make an unbound one
    vars(field).update(vars(made))
    field.name = field.id = name
    field.label = Label(name, made.label.text)
    field._form, field.meta = form, form.meta
    return field


class RowForm(BaseForm):
    """One row. Its fields are copies of one another, because WTForms takes 20 µs to make one, and a page has 30,000."""

    class Meta(BaseForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            made = once(unbound_field, lambda: super(RowForm.Meta, self).bind_field(form, unbound_field, options))
            return copied(made, form, options["prefix"] + options["name"])

    def doubts(self) -> dict[str, str]:
        """Field → sentence on a value that is accepted, but should be checked."""
        unit, quantity = self["unit"], self["quantity"]
        sentence = "" if unit.errors or quantity.errors else whole_pieces.doubt(unit.data, quantity.data)
        return {"quantity": sentence} if sentence else {}


class CarrierForm(InlineFormAdmin):
    """载体信息, a row each (手册 第一章: 规格型号, 进口数量, 单位 are required)."""

    form_base_class = RowForm
    form_columns = ("id", *CARRIER)
    column_labels = labels_of(Carrier)
    form_overrides, form_args = carrier_form_args()

    def on_model_change(self, form: Any, model: Carrier, is_created: bool) -> None:
        """Flask-Admin's hook for each row that is being saved: `form` is the field that holds the row's form."""
        unreadable_text.store_unread(form.form, model)
        if is_created:
            repeated_saves.remember_page(model, form.id)
        form.carrier = model


class CarrierRows(InlineModelFormList):
    """The inline rows, with the field names and in the order of the page: a duplicated row follows its original."""

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        super().process(formdata, data, extra_filters)
        places = {name: place for place, name in enumerate(formdata or ())}
        self.entries.sort(key=lambda row: places.get(row.form.id.name, 0))

    def populate_obj(self, obj: Any, name: str) -> None:
        """Save each row, and put the carriers into the order of the rows; those that the page lacks come last."""
        super().populate_obj(obj, name)
        places = {id(row.carrier): place for place, row in enumerate(self.entries) if not self.should_delete(row)}
        getattr(obj, name).sort(key=lambda carrier: places.get(id(carrier), len(places)))

    def spare_row(self) -> Any:
        """A blank row after the others, by which browsers without script add a row; None when the table is full.

        It is not an entry. 保存 drops it while it is blank (unreadable_text.drop_blank_rows).
        """
        if len(self.entries) >= MOST_CARRIERS:
            return None
        self._add_entry(index=1 + max((int(row.id.rpartition("-")[2]) for row in self.entries), default=-1))
        return self.entries.pop()

    def _compact_indices(self) -> None:
        """No-op: WTForms would renumber the rows, and ids and marks of deletion would belong to other rows."""


class CarrierRowsConverter(InlineModelConverter):
    """Makes the field of the inline rows."""

    inline_field_list_type = CarrierRows
