"""A draft is saved whatever its cells hold: unreadable text is stored as typed, and marked when it is shown again."""

from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Form

from models.application import Application
from models.application.carriers import Carrier
from models.columns import written, wrong_cells
from views.panel.fields import typed_in

MOST = 4_000  # characters of unreadable text stored a cell: twice the longest readable text
IN_ALL = 300_000  # a draft: a column of 3,000 rows pasted one place off is a tenth of it


def only_in_cells(form: Form) -> bool:
    """Whether all that is wrong in `form` is text that a draft can keep; a press that may not be chosen is not."""
    return set(form.errors) <= {*written(Application), "carriers"}


def mark_too_long(form: Any) -> bool:
    """Whether there is more than a draft keeps of what cannot be read; each cell that is too long gets a sentence, and
    so does the first one with which all of them are too long."""
    rows = [row.form for row in form.carriers if not form.carriers.should_delete(row)]
    cells = [cell for part in (form, *rows) for cell in part if cell.short_name != "carriers" and cell.errors]
    too_long = [cell for cell in cells if len(typed(cell)) > MOST]
    for cell in too_long:
        length = len(typed(cell))
        cell.errors = [_("现在 %(length)s 字，超过 %(most)s 字的不能暂存，请删减后再保存。", length=length, most=MOST)]
    return bool(too_long) or _mark_too_much(cells)


def _mark_too_much(cells: list[Any]) -> bool:
    length = 0
    for cell in cells:
        length += len(typed(cell))
        if length > IN_ALL:
            sentence = _("到这里为止，需要改正的内容已超过 %(most)s 字，不能暂存，请先改正或清空一部分，再保存。")
            cell.errors = [sentence % {"most": IN_ALL}]
            return True
    return False


def drop_blank_rows(form: Any) -> None:
    """Take out the new carrier rows into which nothing was typed."""
    form.carriers.entries[:] = [
        row for row in form.carriers if row.get_pk() or any(typed(cell) for cell in row.form if cell.short_name != "id")
    ]


def typed(field: Any) -> str:
    """The text that was sent for `field`, trimmed; "" for none."""
    return (typed_in(field.raw_data or []) or "").strip()


def populate(form: Form, row: Application) -> None:
    """Put the form into the application: what validated into its columns, the rest as typed beside them."""
    form.populate_obj(row)
    keep_unread(form, row)


def keep_unread(form: Form, row: Application | Carrier) -> None:
    """Empty the columns whose fields did not validate, and keep in `row.unread` what was typed into them."""
    wrong = {field.short_name: typed(field) for field in form if field.errors and field.short_name != "carriers"}
    for name in wrong:
        setattr(row, name, None)
    row.unread = {name: text for name, text in wrong.items() if text} or None


def type_again(form: Any, application: Application) -> None:
    """Put what could not be read back into its fields, with the sentence that says what is wrong there."""
    _type(form, application.unread or {})
    for row, carrier in zip(form.carriers, application.carriers, strict=True):
        _type(row.form, wrong_cells(carrier))


def _type(form: Any, cells: dict[str, str]) -> None:
    for name, text in cells.items():
        form[name].process(MultiDict({form[name].name: text}))
        form[name].validate(form)


def mark_missing(form: Any, missing: dict[str, str]) -> None:
    """Put the sentences of Application.missing() at the fields that have none yet."""
    for name, sentence in missing.items():
        if name in form and name != "carriers" and not form[name].errors:
            form[name].errors = [sentence]


def count(application: Application) -> int:
    """How many cells of a draft have to be corrected."""
    return len(application.unread or {}) + sum(len(wrong_cells(carrier)) for carrier in application.carriers)
