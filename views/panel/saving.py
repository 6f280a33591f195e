"""Create and edit, one way for every model: a form that is saved and committed, or shown again with what was typed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import abort, flash, g, redirect, request
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.helpers import get_redirect_target
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from wtforms import FieldList

from models.database import db
from models.workflow import Refused


@contextmanager
def unique_violation_as_refusal() -> Iterator[None]:
    """What somebody else entered a moment before is a refusal, not an error: raises Refused."""
    try:
        yield
    except IntegrityError as doubled:
        if "unique" not in str(doubled.orig).lower():
            raise
        raise Refused(_("相同的内容刚刚已经登记，没有重复保存，请返回列表核对。")) from None


def errors_of(form: Any) -> dict[str, str]:
    """What is wrong in a form, for the list on its top: id of the field → sentence with the field's label."""
    found: dict[str, str] = {}
    for field in form:
        if isinstance(field, FieldList):
            for place, row in enumerate(field.entries, start=1):
                if not field.should_delete(row):
                    where = _("第 %(place)s 行", place=place)
                    found |= {cell: f"{where} {told}" for cell, told in errors_of(row.form).items()}
        elif field.errors:
            found[field.id] = f"{field.label.text}：{field.errors[0]}"
    return found


class SavingView(ModelView):
    """Flask-Admin's two form views, replaced: its own tell of every save in words that are not ours."""

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """A blank form, or the row it makes."""
        return self.fill_in(None)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """The form of one row, or the row as it changes it."""
        return self.fill_in(self.get_one(request.args.get("id")) or abort(404))

    def fill_in(self, model: Any) -> Any:
        """Show the form of `model` (None: a new row); a POST saves and commits it, or shows it again."""
        form = self.create_form() if model is None else self.edit_form(obj=model)
        if self.validate_form(form) and (row := self.saved(form, model)):
            return self.after_saving(row, form)
        template = self.create_template if model is None else self.edit_template
        back = get_redirect_target() or self.get_url(".index_view")
        return self.render(template, model=model, form=form, return_url=back)

    def saved(self, form: Any, model: Any) -> Any:
        """The row, saved and committed; None when refused, and then the form is shown again with what was typed."""
        try:
            with unique_violation_as_refusal():
                row = self.save(form, model)
                db.session.commit()
        except Refused as refused:
            db.session.rollback()
            self.unsaved(form, model, refused)
            return None
        return row

    def unsaved(self, form: Any, model: Any, refused: Refused) -> None:
        """Tell why; whoever shows more than that overrides this."""
        flash(str(refused), "error")
        g.answer = 422

    def save(self, form: Any, model: Any) -> Any:
        """Put the form into the row (None: a new one) and flush; raises Refused."""
        row = model or self.model()
        form.populate_obj(row)
        db.session.add(row)
        db.session.flush()  # first: only then does an emptied relation empty its foreign key
        row.assert_complete()
        return row

    def after_saving(self, row: Any, form: Any) -> Any:
        """Tell that it is saved, and lead on; `form` is the one that was sent."""
        flash(_("已保存。"), "success")
        return redirect(self.get_url(".index_view"))

    def keeps(self, form: Any) -> bool:
        """Whether a form that did not validate may be saved all the same."""
        return False

    def validate_form(self, form: Any) -> bool:
        if request.method != "POST":
            return False
        valid = bool(form.validate()) or self.keeps(form)
        if not valid:
            flash(_("没有保存，请按红字提示改正后再保存。"), "error")
            g.answer = 422
        return valid
