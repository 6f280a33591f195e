"""自动保存: a script posts the form into a buffer beside the application, from which a reopened form is restored."""

from typing import Any

from flask import current_app, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from models.application import Application, typed_form
from models.columns import written
from models.database import db
from models.workflow import Refused
from views.panel import repeated_saves
from views.panel.fields import number_of
from views.panel.saving import commit_or_refuse
from views.screens.carrier_import import CarrierImportScreen

FIELDS = frozenset({"last_entry", "publisher_id", *written(Application)})
ROWS = ("carriers-", "del-carriers-")


class AutosaveScreen(CarrierImportScreen):
    """The part of 备案证明申请 for 自动保存."""

    opens = CarrierImportScreen.opens | {"autosave"}

    @expose("/autosave/", methods=("POST",))
    def autosave(self) -> Any:
        """Store the typed form in the buffer, or with `discard` delete it; commits. Does not change the application.

        `conflict` in the answer: this page's version or text is outdated, so that no later autosave of it can succeed.
        """
        row = self.named_row(request.args.get("id"))
        if "discard" in request.form:
            forgotten = forget_typed(row)
            db.session().commit()
            if forgotten:
                flash(_("已放弃自动保存的内容，下面是已保存的申请。"), "success")
            else:
                flash(_("另一个窗口刚刚又自动保存，没有放弃。下面是那里的内容，请核对。"), "error")
            return redirect(self.get_url(".edit_view", id=row.id), 303)
        page, version = repeated_saves.key_sent(), number_of(request.form.get("version")) or 0
        try:
            with commit_or_refuse():  # two windows store their first text at the same moment
                typed = typed_form.save(
                    db.session(), row, current_user, version, page, restored_revision(), fields_sent()
                )
        except Refused as refused:
            return jsonify(message=str(refused), conflict=True), 409
        return jsonify(at=typed.saved_at.strftime("%H:%M"))

    def restored_form(self, model: Application | None) -> Any:
        """The form filled from this account's buffer; None if there is none."""
        if model is None or request.method != "GET":
            return None
        typed = typed_form.typed_by(db.session(), model, current_user)
        if typed is None:
            return None
        sent = MultiDict({name: text for name, text in typed.fields.items() if name in FIELDS or name.startswith(ROWS)})
        sent["version"] = str(model.version)
        form = self._edit_form_class(sent, obj=model)
        form.typed = typed
        return form

    def autosave_context(self, form: Any, model: Application | None) -> dict[str, Any]:
        """Template context; `stale`: the application was saved after this buffer, so that autosave is off."""
        typed = getattr(form, "typed", None)
        seconds = int(current_app.config["AUTOSAVE_SECONDS"])
        stale = typed is not None and model is not None and typed.version != model.version
        shown = typed.revision if typed is not None else restored_revision()
        return {"typed": typed, "stale": stale, "restored": shown, "autosave": 0 if stale else seconds}


def forget_typed(row: Application) -> bool:
    """After 保存 or 放弃 delete the buffer of this page; the caller commits. Returns whether none is left."""
    return typed_form.forget(db.session(), row, current_user, repeated_saves.key_sent(), restored_revision())


def restored_revision() -> int:
    """The revision of the buffer that the page was restored from; 0 for none."""
    return number_of(request.form.get("restored")) or 0


def fields_sent() -> dict[str, str]:
    """The submitted fields of the application, without page fields and NUL, which JSON columns cannot store."""
    return {
        name: text.replace("\0", "") for name, text in request.form.items() if name in FIELDS or name.startswith(ROWS)
    }
