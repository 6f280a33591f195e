"""Create and edit, one way for every model: a form that is saved and committed, or shown again with what was typed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.helpers import get_redirect_target
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from wtforms import FieldList

from models.database import db
from models.workflow import Refused


@contextmanager
def races_as_refusals() -> Iterator[None]:
    """What somebody else entered or changed a moment before is a refusal, not an error: raises Refused."""
    try:
        yield
    except IntegrityError as doubled:
        if "unique" not in str(doubled.orig).lower():
            raise
        raise Refused(_("相同的内容刚刚已经登记，没有重复保存，请返回列表核对。")) from None
    except StaleDataError:
        raise Refused(_("刚刚已被他人修改，您的改动没有保存。下方是您填写的内容，请核对后再保存。")) from None


def errors_of(form: Any) -> dict[str, str]:
    """What is wrong in a form, for the list on its top: id of the field → sentence with the field's label."""
    found: dict[str, str] = {}
    for field in form:
        if isinstance(field, FieldList):
            for place, row in enumerate(field.entries, start=1):
                if not field.should_delete(row):
                    where = _("第 %(place)s 行", place=place)
                    found |= {cell: f"{where} {sentence}" for cell, sentence in errors_of(row.form).items()}
        elif field.errors:
            found[field.id] = f"{field.label.text}：{field.errors[0]}"
    return found


class SavingView(ModelView):
    """Replaces Flask-Admin's two form views, which flash their own English sentences."""

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
        status, changed = 200, dict[str, Any]()
        if request.method == "POST":
            if self.validate_form(form):
                try:
                    return self.after_saving(self.save_and_commit(form, model), form)
                except Refused as refused:
                    db.session.rollback()
                    status, changed = self.show_refusal_in_form(refused, form, model)
            else:
                flash(_("没有保存，请按红字提示改正后再保存。"), "error")
                status = 422
        template = self.create_template if model is None else self.edit_template
        back = get_redirect_target() or self.get_url(".index_view")
        page = self.render(template, model=model, form=form, return_url=back, unsaved=status != 200, **changed)
        return page, status

    def save_and_commit(self, form: Any, model: Any) -> Any:
        """The row; raises Refused, after which the caller rolls back."""
        with races_as_refusals():
            row = self.save_and_log(form, model)
            db.session.commit()
        return row

    def save_and_log(self, form: Any, model: Any) -> Any:
        """As save(); a screen whose saves stand in the log of the system adds their entry."""
        return self.save(form, model)

    def show_refusal_in_form(self, refused: Refused, form: Any, model: Any) -> tuple[int, dict[str, Any]]:
        """Flash the reason; the HTTP status of the page, and what else its template needs."""
        flash(str(refused), "error")
        return 422, {}

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
        return request.method == "POST" and (bool(form.validate()) or self.keeps(form))
