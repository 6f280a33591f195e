"""备案证明申请 and 查询: the publisher, or the unit it entrusts, writes and submits (手册 第一章, 第二章)."""

from typing import Any

from flask import abort, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from stdnum import isbn

from models import certificate, clock
from models.acts import drafts
from models.acts.completeness import Incomplete, lacking
from models.application import Application, blank_forms, locking, trail
from models.application.carriers import Carrier
from models.application.changes import explain
from models.application.former import FIELDS as FORMER
from models.application.former import former_values
from models.codes import choosable
from models.columns import written
from models.database import db
from models.people.accounts import publishers_for
from models.vocabulary import Action, Role
from models.workflow import Refused
from views.panel import acts, repeated_saves, unreadable_text
from views.panel.display import shown_value
from views.panel.fields import ChoiceField, SeenVersion
from views.panel.saving import errors_of
from views.panel.screen import form_args_of
from views.screens.attachment_boxes import asterisks
from views.screens.autosave import forget_saved
from views.screens.blank_forms import BlankDownloadScreen
from views.screens.carriers import CarrierForm
from views.screens.copying import CopyScreen
from views.screens.doubts import DoubtScreen, NotToldYet

WRITTEN = written(Application)
OVERRIDES, ARGS = form_args_of(Application, WRITTEN)
for name in FORMER:  # native suggestions: any other words are as good
    ARGS[name] = ARGS[name] | {"render_kw": {"list": f"former-{name}", "data-free": True}}
MOST_EDITS = 20  # of others, listed after a conflict
MOST_WARNINGS = 5  # they travel in the session cookie


def presses() -> list[tuple[str, str]]:
    """The presses this account may apply for; a press already applied for cannot be changed after 申报."""
    found = publishers_for(db.session(), current_user.organisation_id)
    return [(str(press.id), str(press)) for press in found]


def applicant() -> dict[str, str]:
    """How a blank form names the applicant; a draft keeps what it was begun with until 申报."""
    unit = current_user.organisation
    return {"applicant_name": unit.name, "applicant_code": unit.credit_code}


def warn_of_unprintable(application: Application) -> None:
    """Tell at 保存 what 申报 will refuse; a server without fontconfig cannot say, and saves all the same."""
    try:
        found = list(certificate.unprintable(application).values())
    except Refused:
        return
    for sentence in found[:MOST_WARNINGS]:
        flash(sentence, "message")
    if len(found) > MOST_WARNINGS:
        flash(_("另有 %(count)s 处无法打印，申报时会逐项列出。", count=len(found) - MOST_WARNINGS), "message")


class PressField(ChoiceField):
    """出版单位: one's own press, or those that have entrusted one's unit."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, options=presses, coerce=int, **kwargs)


class ApplicationsScreen(DoubtScreen, CopyScreen, BlankDownloadScreen):
    """查询: one's own applications; the blue number leads to the form while it may be edited."""

    roles = frozenset({Role.PUBLISHER})
    can_create = can_edit = True
    opens = DoubtScreen.opens | CopyScreen.opens | BlankDownloadScreen.opens
    export_name = _l("申请")  # the menu says 查询 (手册 第二章), which tells nothing in a folder
    create_template = edit_template = "screens/application.html"
    acts = (Action.SUBMIT, Action.DELETE, Action.PRINT)
    form_acts = (Action.DELETE, Action.PRINT)  # beside 申报 and 保存
    column_list = ("number", "title", "publisher_name", "applied_on", "status", "acts")
    form_columns = ("version", "last_entry", "page_key", "publisher_id", *WRITTEN)
    form_extra_fields = {
        "version": SeenVersion(),
        "last_entry": SeenVersion(),
        "page_key": repeated_saves.PageKey(),
        "publisher_id": PressField(_l("出版单位")),
    }
    form_overrides = OVERRIDES
    form_args = ARGS
    inline_models = (CarrierForm(Carrier),)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """As the manual has it: the blank form first, then the list."""
        return [(_l("备案证明申请"), f"{self.url}/new/"), *super().menu_entries()]

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """So many rows are counted before a form is built of them, without those that are to be deleted."""
        rows = {name.rpartition("-")[0] for name in request.form if name.startswith("carriers-")}
        drafts.check_count(len({row for row in rows if f"del-{row}" not in request.form}))
        return super()._run_view(fn, *args, **kwargs)

    def save(self, form: Any, model: Application | None) -> Application:
        """A blank form makes a draft; any other is saved on the version the person was looking at."""
        application = model or repeated_saves.draft_for_page(db.session(), current_user)
        again = repeated_saves.is_resent(application)
        seen = form.version.seen if model and not again else application.version
        own = {str(carrier.id) for carrier in application.carriers}
        form.carriers.entries[:] = [  # one marked for deletion that somebody else took out already would come back
            row for row in form.carriers if not form.carriers.should_delete(row) or str(row.get_pk()) in own
        ]
        with drafts.revising(db.session(), application, seen, by=current_user):
            repeated_saves.match_new_rows(form.carriers, application)
            unreadable_text.populate(form, application)
            repeated_saves.remember_page(application)
        forget_saved(application)
        if form.isbn.data and not form.isbn.errors and not isbn.is_valid(form.isbn.data):
            flash(_("ISBN “%(isbn)s” 的校验位不符，请核对；不影响保存。", isbn=form.isbn.data), "message")
        if "_submit" not in request.form:
            warn_of_unprintable(application)
        return application

    def show_refusal_in_form(self, refused: Refused, form: Any, model: Any) -> tuple[int, dict[str, Any]]:
        """On a version conflict the form shows what others changed, and the new version: saving again overwrites it."""
        answer = super().show_refusal_in_form(refused, form, model)
        if not isinstance(refused, locking.Conflict):
            return answer
        if model is None:  # a blank form sent again, while its draft is being saved elsewhere
            return 409, {}
        return 409, self.changed_since(form, model)

    def changed_since(self, form: Any, model: Application) -> dict[str, Any]:
        """What others have saved since the form was opened, which from here on knows of it."""
        theirs = {name: shown_value(model, name) for name in WRITTEN if form[name].data != getattr(model, name)}
        edits = trail.newest(db.session(), model.id, Action.EDIT, MOST_EDITS, form.last_entry.seen)
        form.version.data, form.last_entry.data = model.version, trail.last_id(db.session(), model.id)
        return {"theirs": theirs, "their_edits": [line for edit in reversed(edits) for line in explain(edit)]}

    def keeps(self, form: Any) -> bool:
        return not unreadable_text.mark_too_long(form) and unreadable_text.only_in_cells(form)

    def validate_form(self, form: Any) -> bool:
        if request.method == "POST":
            unreadable_text.drop_blank_rows(form)
        return super().validate_form(form)

    def after_saving(self, row: Application, form: Any) -> Any:
        """After 保存 the form stays open; after 申报 the details show the result, or the form what is missing."""
        if "_submit" in request.form:
            return self.submit_then_redirect(row)
        address = self.get_url(".edit_view", id=row.id)
        if "_quiet" in request.form:  # by a script, whose page stays as it is
            carriers = {entry.id: entry.carrier.id for entry in form.carriers if not form.carriers.should_delete(entry)}
            last, version = trail.last_id(db.session(), row.id), row.version
            return jsonify(
                id=row.id, number=row.number, version=version, last_entry=last, edit=address, carriers=carriers
            )
        marks = unreadable_text.count(row)
        flash(acts.saved(marks, clock.now()), "message" if marks else "success")
        return redirect(address)

    def submit_then_redirect(self, row: Application) -> Any:
        """申报 of what has just been saved."""
        key, facts = row.id, acts.facts_of(row)
        refused = self.attempt_and_commit(Action.SUBMIT, row)
        if refused is None:
            address = self.get_url(".details_view", id=key)
            self.flash_result(Action.SUBMIT, row, facts, address)
            return redirect(address)
        flash(str(refused), "message" if isinstance(refused, NotToldYet) else "error")
        checked = {"check": 1} if isinstance(refused, Incomplete) else {}
        return redirect(self.get_url(".edit_view", id=key, **checked))

    def edit_form(self, obj: Application | None = None) -> Any:
        """The form; once declared, the press stays the one whose province has the case."""
        again = self.fill_again(obj)
        form = again or super().edit_form(obj)
        if obj is not None and obj.applied_on:
            form.publisher_id.choices = [(str(obj.publisher_id), f"{obj.publisher_code}-{obj.publisher_name}")]
            form.publisher_id.allow_blank = False
        elif obj is not None and obj.publisher_id and str(obj.publisher_id) not in dict(form.publisher_id.choices):
            form.publisher_id.choices.append((str(obj.publisher_id), f"{obj.publisher_code}-{obj.publisher_name}"))
        if again is not None:
            unreadable_text.drop_blank_rows(form)
            form.validate()
        elif obj is not None and request.method == "GET":
            form.last_entry.data = trail.last_id(db.session(), obj.id)
            unreadable_text.type_again(form, obj)
        return form

    def create_form(self, obj: Any = None) -> Any:
        """A blank form; the only press there is to choose is chosen."""
        form = super().create_form(obj)
        if request.method != "POST" and len(form.publisher_id.choices) == 1:
            form.publisher_id.process_data(form.publisher_id.choices[0][0])
        return form

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """The form while 暂存 or 退回 (手册 第二章); the details, with the reason, in any other status."""
        row = self.get_one(request.args.get("id")) or abort(404)
        if not self.editable(row) and request.method != "POST":
            return redirect(self.get_url(".details_view", id=row.id))
        return super().edit_view()

    def render(self, template: str, **kwargs: Any) -> Any:
        model = kwargs.setdefault("model", None)
        missing = lacking(model) if model is not None and request.args.get("check") else {}
        if "form" in kwargs:
            kwargs["errors"] = missing | errors_of(kwargs["form"])
            kwargs |= asterisks(model, kwargs["form"].publisher_id.data)
            unreadable_text.mark_missing(kwargs["form"], missing)
            kwargs |= self.doubt_page(model) | {"former": former_values(db.session())}
            kwargs["blanks"] = blank_forms.listed(db.session())
            kwargs |= self.typed_page(kwargs["form"], model)
            kwargs |= self.changed_since(kwargs["form"], model) if model is not None and kwargs["stale"] else {}
        lists = {name: choosable(name) for name in ("carrier", "unit", "currency")}
        page: dict[str, Any] = {
            "missing": missing,
            "written": WRITTEN,
            "applicant": applicant(),
        }
        page["ask_submit"] = acts.question(Action.SUBMIT, {"number": model.number if model else _("本申请")})
        return super().render(template, **page, datalists=lists, **kwargs)
