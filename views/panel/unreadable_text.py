"""Drafts with invalid cells: such text is stored as typed beside the columns, and marked when it is shown again."""

from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Form

from models.application import Application
from models.application.carriers import Carrier
from models.columns import written, wrong_cells
from views.panel.fields import typed_in

MOST = 4_000  # characters of invalid text stored per cell: twice the longest valid text
IN_ALL = 300_000  # per draft; a column of 3,000 rows pasted into the wrong place is a tenth of it


def obstacles(form: Any) -> list[str]:
    """Ids of the fields whose errors prevent even a draft: an invalid publisher, or text too long to store as typed."""
    cells = {*written(Application), "carriers"}
    return [form[name].id for name in form.errors if name not in cells] + [cell.id for cell in _mark_too_long(form)]


def _mark_too_long(form: Any) -> list[Any]:
    """The cells with invalid text longer than MOST, or the first one with which the total exceeds IN_ALL. Sets their
    errors."""
    rows = [row.form for row in form.carriers if not form.carriers.should_delete(row)]
    cells = [cell for part in (form, *rows) for cell in part if cell.short_name != "carriers" and cell.errors]
    too_long = [cell for cell in cells if len(typed(cell)) > MOST]
    for cell in too_long:
        length = len(typed(cell))
        cell.errors = [_("现在 %(length)s 字，超过 %(most)s 字的不能暂存，请删减后再保存。", length=length, most=MOST)]
    return too_long or _mark_too_much(cells)


def _mark_too_much(cells: list[Any]) -> list[Any]:
    length = 0
    for cell in cells:
        length += len(typed(cell))
        if length > IN_ALL:
            sentence = _("到这里为止，需要改正的内容已超过 %(most)s 字，不能暂存，请先改正或清空一部分，再保存。")
            cell.errors = [sentence % {"most": IN_ALL}]
            return [cell]
    return []


def drop_blank_rows(form: Any) -> None:
    """Remove new carrier rows that are blank from the form."""
    form.carriers.entries[:] = [
        row for row in form.carriers if row.get_pk() or any(typed(cell) for cell in row.form if cell.short_name != "id")
    ]


def typed(field: Any) -> str:
    """The submitted text of `field`, trimmed; "" for none."""
    return (typed_in(field.raw_data or []) or "").strip()


def populate(form: Form, row: Application) -> None:
    """Write the form into the application: valid values into its columns, other text into `unread`."""
    form.populate_obj(row)
    store_unread(form, row)


def store_unread(form: Form, row: Application | Carrier) -> None:
    """Set the columns of invalid fields to NULL and store their typed text in `row.unread`."""
    wrong = {field.short_name: typed(field) for field in form if field.errors and field.short_name != "carriers"}
    for name in wrong:
        setattr(row, name, None)
    row.unread = {name: text for name, text in wrong.items() if text} or None


def type_again(form: Any, application: Application) -> None:
    """Fill stored invalid text into its fields again, with their errors."""
    _type(form, application.unread or {})
    for row, carrier in zip(form.carriers, application.carriers, strict=True):
        _type(row.form, wrong_cells(carrier))


def _type(form: Any, cells: dict[str, str]) -> None:
    for name, text in cells.items():
        form[name].process(MultiDict({form[name].name: text}))
        form[name].validate(form)


def mark_missing(form: Any, missing: dict[str, str]) -> None:
    """Add the sentences of `missing` (field → sentence) to fields without errors."""
    for name, sentence in missing.items():
        if name in form and name != "carriers" and not form[name].errors:
            form[name].errors = [sentence]


def count(application: Application) -> int:
    """Number of cells of a draft that have to be corrected."""
    return len(application.unread or {}) + sum(len(wrong_cells(carrier)) for carrier in application.carriers)
