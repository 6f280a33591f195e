"""Create and edit, for every model: a form is saved and committed, or shown again with the typed values."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.helpers import get_redirect_target
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from wtforms import FieldList

from models.database import commit_and_keep, db, is_unique_violation
from models.workflow import Refused

NOT_SAVED = _l("没有保存，请按红字提示改正后再保存。")


@contextmanager
def commit_or_refuse(keep: bool = False) -> Iterator[None]:
    """Commit after the block; `keep`: without expiring the rows.

    Refused, a unique violation or a version conflict rolls back and is raised as Refused.
    """
    try:
        yield
        commit_and_keep(db.session()) if keep else db.session.commit()
    except Refused:
        db.session.rollback()
        raise
    except IntegrityError as doubled:
        if not is_unique_violation(doubled):
            raise
        db.session.rollback()
        raise Refused(_("相同的内容刚刚已经登记，没有重复保存，请返回列表核对。")) from None
    except StaleDataError:
        db.session.rollback()
        raise Refused(_("刚刚已被他人修改，您的改动没有保存。下方是您填写的内容，请核对后再保存。")) from None


def commit_then_flash(act: Callable[[], str]) -> bool:
    """Call `act`, commit, and flash its sentence ("": none). If refused, roll back, flash the reason, return False."""
    try:
        with commit_or_refuse():
            words = act()
    except Refused as refused:
        flash(str(refused), "error")
        return False
    if words:
        flash(words, "success")
    return True


def differing(form: Any, row: Any, names: Iterable[str]) -> list[str]:
    """Those of the named fields whose typed value is not the stored one."""
    return [name for name in names if form[name].data != getattr(row, name)]


def errors_of(form: Any) -> dict[str, str]:
    """Errors of a form for the summary above it: id of the field → sentence with the field's label."""
    found: dict[str, str] = {}
    for field in form:
        if isinstance(field, FieldList):
            for place, row in enumerate(field.entries, start=1):
                if not field.should_delete(row):
                    where = _("第 %(place)s 行", place=place)
                    found |= {cell: f"{where} {sentence}" for cell, sentence in errors_of(row.form).items()}
        elif field.errors:
            found[field.id] = _("%(label)s：%(sentence)s", label=field.label.text, sentence=field.errors[0])
    return found


class SavingView(ModelView):
    """Replaces Flask-Admin's two form views, which flash their own English sentences."""

    keeps_saved_row = False  # whether after_saving() shows the row as it was saved, without reading it again

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """GET: a blank form. POST: create the row."""
        return self.show_or_save_form(None)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """GET: the form of one row. POST: change the row."""
        return self.show_or_save_form(self.named_row(request.args.get("id")))

    def show_or_save_form(self, model: Any) -> Any:
        """GET: the form of `model` (None: a new row). POST: save and commit it, or show it again with its errors."""
        form = self.create_form() if model is None else self.edit_form(obj=model)
        status, changed = 200, dict[str, Any]()
        if request.method == "POST":
            if self.validate_form(form):
                try:
                    return self.after_saving(self.save_and_commit(form, model), form)
                except Refused as refused:
                    status, changed = self.show_refusal_in_form(refused, form, model)
            else:
                flash(NOT_SAVED, "error")
                status = 422
        template = self.create_template if model is None else self.edit_template
        back = get_redirect_target() or self.get_url(".index_view")
        page = self.render(template, model=model, form=form, return_url=back, unsaved=status != 200, **changed)
        return page, status

    def save_and_commit(self, form: Any, model: Any) -> Any:
        """Save, log and commit; returns the row. Raises Refused after a rollback."""
        with commit_or_refuse(keep=self.keeps_saved_row):
            return self.save_and_log(form, model)

    def save_and_log(self, form: Any, model: Any) -> Any:
        """As save(); LoggedScreen overrides it to add a log entry."""
        return self.save(form, model)

    def show_refusal_in_form(self, refused: Refused, form: Any, model: Any) -> tuple[int, dict[str, Any]]:
        """Show the reason at its field, or flash it; returns (HTTP status, further context of the template)."""
        if refused.field in form:
            form[refused.field].errors = [str(refused)]
            flash(NOT_SAVED, "error")
        else:
            flash(str(refused), "error")
        return 422, {}

    def save(self, form: Any, model: Any) -> Any:
        """Put the form into the row (None: a new one) and flush; raises Refused."""
        row = model or self.model()
        form.populate_obj(row)
        db.session.add(row)
        db.session.flush()  # before the check: only a flush sets the foreign key of an emptied relation to NULL
        row.assert_complete()
        return row

    def after_saving(self, row: Any, form: Any) -> Any:
        """Flash success and redirect; `form`: the submitted one."""
        flash(_("已保存。"), "success")
        return redirect(self.get_url(".index_view"))

    def may_save_invalid(self, form: Any) -> bool:
        """Whether a form with errors may be saved all the same."""
        return False

    def validate_form(self, form: Any) -> bool:
        return request.method == "POST" and (bool(form.validate()) or self.may_save_invalid(form))
