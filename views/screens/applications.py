"""备案证明申请 and 查询: a publisher or a unit it entrusts fills in and submits applications (手册 第一章, 第二章)."""

from typing import Any

from flask import flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

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
from models.vocabulary import Action, Role
from models.workflow import Refused
from views.panel import acts, repeated_saves, unreadable_text
from views.panel.display import shown_value
from views.panel.fields import ChoiceField, VersionField
from views.panel.filing_query import PublisherQuery
from views.panel.large_forms import collection_paused
from views.panel.saving import differing, errors_of
from views.panel.screen import form_args_of
from views.screens.attachment_boxes import asterisks, publishers_of_unit
from views.screens.autosave import forget_typed
from views.screens.blank_forms import BlankDownloadScreen
from views.screens.carriers import CarrierForm, CarrierRowsConverter
from views.screens.copying import CopyScreen
from views.screens.doubts import DoubtScreen, DoubtsNotShown

WRITTEN = written(Application)
OVERRIDES, ARGS = form_args_of(Application, WRITTEN)
for name in FORMER:  # a native <datalist> of suggestions; other text is valid, too
    ARGS[name] = ARGS[name] | {"render_kw": {"list": f"former-{name}", "data-free": True}}
MOST_EDITS = 20  # edits of others that are listed after a conflict
MOST_WARNINGS = 5  # flashed messages are stored in the session cookie


def publishers() -> list[tuple[str, str]]:
    """(id, name) of the publishers that this account may apply for."""
    return [(str(publisher.id), str(publisher)) for publisher in publishers_of_unit(current_user.organisation_id)]


def applicant() -> dict[str, str]:
    """Name and code of the applicant for a blank form; a draft has those of its creation until 申报."""
    unit = current_user.organisation
    return {"applicant_name": unit.name, "applicant_code": unit.credit_code}


def warn_of_unprintable(application: Application) -> None:
    """Flash at 保存 which characters 申报 will refuse as unprintable; nothing on a server without fontconfig."""
    try:
        found = list(certificate.unprintable(application).values())
    except Refused:
        return
    for sentence in found[:MOST_WARNINGS]:
        flash(sentence, "message")
    if len(found) > MOST_WARNINGS:
        flash(_("另有 %(count)s 处无法打印，申报时会逐项列出。", count=len(found) - MOST_WARNINGS), "message")


class PublisherField(ChoiceField):
    """出版单位: one's own publisher, or those that entrust one's unit."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, options=publishers, coerce=int, **kwargs)


class ApplicationsScreen(DoubtScreen, CopyScreen, BlankDownloadScreen):
    """查询: one's own applications; the blue number opens the form while it may be edited."""

    roles = frozenset({Role.PUBLISHER})
    can_create = can_edit = keeps_saved_row = True
    opens = DoubtScreen.opens | CopyScreen.opens | BlankDownloadScreen.opens
    export_name = _l("申请")  # not 查询 as in the menu (手册 第二章), which says nothing as a file name
    create_template = edit_template = "screens/application.html"
    acts = (Action.SUBMIT, Action.DELETE, Action.PRINT)
    form_acts = (Action.DELETE, Action.PRINT)  # beside 申报 and 保存
    query_form = PublisherQuery
    column_list = ("number", "title", "publisher_name", "applied_on", "status", "amounts", "acts")
    form_columns = ("version", "last_entry", "page_key", "publisher_id", *WRITTEN)
    form_extra_fields = {
        "version": VersionField(),
        "last_entry": VersionField(),
        "page_key": repeated_saves.PageKey(),
        "publisher_id": PublisherField(_l("出版单位")),
    }
    form_overrides = OVERRIDES
    form_args = ARGS
    inline_models = (CarrierForm(Carrier),)
    inline_model_form_converter = CarrierRowsConverter

    def menu_entries(self) -> list[tuple[Any, str]]:
        """The blank form first, then the list (手册)."""
        return [(_l("备案证明申请"), f"{self.url}/new/"), *super().menu_entries()]

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Check that a saved form is not of a deleted draft, and the number of carriers before the form is built:
        deleted rows and one blank row do not count."""
        if fn.__name__ == "edit_view" and request.method == "POST":
            gone = _("没有找到这份申请，可能已由同事或在另一个窗口中删除，没有保存。仍需办理的，请新建申请。")
            self.named_row(request.args.get("id"), gone)
        cells = [(name.rpartition("-")[0], text) for name, text in request.form.items() if name.startswith("carriers-")]
        rows = {row for row, _text in cells if f"del-{row}" not in request.form}
        has_blank_row = bool(rows - {row for row, text in cells if text.strip()})
        drafts.check_count(len(rows) - has_blank_row)
        with collection_paused(len(rows)):
            return super()._run_view(fn, *args, **kwargs)

    def save(self, form: Any, model: Application | None) -> Application:
        """Create a draft, or change the application if its version is the one that the page was rendered from."""
        application = model or repeated_saves.draft_for_page(db.session(), current_user)
        again = repeated_saves.is_resent(application)
        version = form.version.expected if model and not again else application.version
        own = {str(carrier.id) for carrier in application.carriers}
        form.carriers.entries[:] = [  # a row marked for deletion that a colleague has removed would be created again
            row for row in form.carriers if not form.carriers.should_delete(row) or str(row.get_pk()) in own
        ]
        with drafts.revising(db.session(), application, version, by=current_user):
            repeated_saves.match_new_rows(form.carriers, application)
            unreadable_text.populate(form, application)
            repeated_saves.remember_page(application)
        forget_typed(application)
        return application

    def show_refusal_in_form(self, refused: Refused, form: Any, model: Any) -> tuple[int, dict[str, Any]]:
        """On a version conflict show the changes of others, and set the new version: saving again overwrites."""
        if "_quiet" in request.form:
            raise refused
        answer = super().show_refusal_in_form(refused, form, model)
        if not isinstance(refused, locking.Conflict):
            return answer
        if model is None:  # a blank form sent again while another page saves its draft
            return 409, {}
        return 409, self.changed_since(form, model)

    def changed_since(self, form: Any, model: Application) -> dict[str, Any]:
        """What others have saved since the form was opened: {"theirs", "their_edits"}. Sets the new version."""
        theirs = {name: shown_value(model, name) for name in differing(form, model, WRITTEN)}
        edits = trail.newest(db.session(), model.id, Action.EDIT, MOST_EDITS, form.last_entry.expected)
        form.version.data, form.last_entry.data = model.version, trail.last_id(db.session(), model.id)
        return {"theirs": theirs, "their_edits": [line for edit in reversed(edits) for line in explain(edit)]}

    def may_save_invalid(self, form: Any) -> bool:
        return not unreadable_text.obstacles(form)

    def validate_form(self, form: Any) -> bool:
        if request.method == "POST":
            unreadable_text.drop_blank_rows(form)
        valid = super().validate_form(form)
        if not valid and "_quiet" in request.form:  # a script, which shows one sentence and not the form again
            sentences = errors_of(form)
            raise Refused(next(sentences[key] for key in unreadable_text.obstacles(form)))
        return valid

    def after_saving(self, row: Application, form: Any) -> Any:
        """After 保存: the form again; after 申报: the details with the result, or the form with what is missing."""
        if "_submit" in request.form:
            return self.submit_then_redirect(row)
        warn_of_unprintable(row)
        address = self.get_url(".edit_view", id=row.id)
        if "_quiet" in request.form:  # a script, which does not reload its page
            carriers = {entry.id: entry.carrier.id for entry in form.carriers if not form.carriers.should_delete(entry)}
            last, version = trail.last_id(db.session(), row.id), row.version
            return jsonify(
                id=row.id, number=row.number, version=version, last_entry=last, edit=address, carriers=carriers
            )
        marks = unreadable_text.count(row)
        flash(acts.saved(marks, clock.now()), "message" if marks else "success")
        return redirect(address)

    def submit_then_redirect(self, row: Application) -> Any:
        """申报 of the application that was just saved. Commits."""
        key, facts = row.id, acts.facts_of(row)
        refused = self.attempt_and_commit(Action.SUBMIT, row)
        if refused is None:
            address = self.get_url(".details_view", id=key)
            self.flash_result(Action.SUBMIT, row, facts, address)
            return redirect(address)
        flash(str(refused), "message" if isinstance(refused, DoubtsNotShown) else "error")
        reason = {Incomplete: {"check": 1}, DoubtsNotShown: {"doubts": 1}}.get(type(refused), {})
        return redirect(self.get_url(".edit_view", id=key, **reason))

    def edit_form(self, obj: Application | None = None) -> Any:
        """The form; after the first 申报 the publisher cannot be changed, because its province has the case."""
        restored = self.restored_form(obj)
        form = restored or super().edit_form(obj)
        if obj is not None and obj.applied_on:
            form.publisher_id.choices = [(str(obj.publisher_id), f"{obj.publisher_code}-{obj.publisher_name}")]
            form.publisher_id.allow_blank = False
        elif obj is not None and obj.publisher_id and str(obj.publisher_id) not in dict(form.publisher_id.choices):
            form.publisher_id.choices.append((str(obj.publisher_id), f"{obj.publisher_code}-{obj.publisher_name}"))
        if restored is not None:
            unreadable_text.drop_blank_rows(form)
            form.validate()
        elif obj is not None and request.method == "GET":
            form.last_entry.data = obj.last_change or 0
            unreadable_text.type_again(form, obj)
        return form

    def create_form(self, obj: Any = None) -> Any:
        """A blank form; if there is only one publisher, it is selected."""
        form = super().create_form(obj)
        if request.method != "POST" and len(form.publisher_id.choices) == 1:
            form.publisher_id.process_data(form.publisher_id.choices[0][0])
        return form

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """The form while 暂存 or 退回 (手册 第二章); the details, with the reason, in any other status."""
        row = self.named_row(request.args.get("id"))
        if not self.editable(row) and request.method != "POST":
            return redirect(self.get_url(".details_view", id=row.id))
        return super().edit_view()

    def render(self, template: str, **kwargs: Any) -> Any:
        """Add what the form shows; with `?check=1` also the sentences about missing fields."""
        model = kwargs.setdefault("model", None)
        missing = lacking(model) if model is not None and request.args.get("check") else {}
        if "form" in kwargs:
            kwargs["errors"] = missing | errors_of(kwargs["form"])
            kwargs |= asterisks(model, kwargs["form"].publisher_id.data)
            unreadable_text.mark_missing(kwargs["form"], missing)
            kwargs |= self.doubts_context(model) | {"former": former_values(db.session())}
            kwargs["blanks"] = blank_forms.listed(db.session())
            kwargs |= self.autosave_context(kwargs["form"], model)
            kwargs |= self.changed_since(kwargs["form"], model) if model is not None and kwargs["stale"] else {}
        page: dict[str, Any] = {
            "missing": missing,
            "written": WRITTEN,
            "applicant": applicant(),
            "choosable": choosable,
        }
        page["ask_submit"] = acts.question(Action.SUBMIT, {"number": model.number if model else _("本申请")})
        return super().render(template, **page, **kwargs)
