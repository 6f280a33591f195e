"""空白表格: the operator offers one PDF per kind of attachment; applicants download, fill in and upload it."""

from typing import Any, BinaryIO, cast

from flask import Response, abort, current_app, redirect, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models.application import blank_forms
from models.application.blank_forms import ACCEPTED, BlankForm
from models.application.file_names import clean_name
from models.database import db
from models.language import recorded
from models.log import Handout, Operation
from models.vocabulary import AttachmentKind, Role
from models.workflow import Refused
from views.panel.display import Button, button_html, on_screen
from views.panel.download import add_ascii_name
from views.panel.fields import number_of
from views.panel.list_export import ListExport
from views.panel.logged import note, note_handout_and_commit
from views.panel.saving import commit_then_flash
from views.panel.screen import Screen, labels_of
from views.resources import store
from views.screens.downloads import content_of


def kind_sent(sent: Any) -> AttachmentKind:
    """The kind of attachment in a form or address; 400 without a valid one."""
    return AttachmentKind(sent["kind"]) if sent.get("kind") in set(AttachmentKind) else abort(400)


def blank_form(kind: AttachmentKind) -> Response:
    """The file as a download under its own name; 404 if there is none. Commits a log entry.

    Raises Refused for a form with a virus.
    """
    file = blank_forms.listed(db.session()).get(kind) or abort(404)
    blank_forms.refuse_infected(db.session(), file)
    response = send_file(
        content_of(file), mimetype=ACCEPTED, as_attachment=True, download_name=file.name, etag=file.digest
    )
    response.content_length = file.size
    add_ascii_name(response, file.name, f"blank-{kind.value}.pdf")
    note_handout_and_commit(Handout.BLANK_FORM, recorded(kind.label), words=file.name)
    return response


class BlankDownloadScreen(Screen):
    """The part of 备案证明申请 for downloading blank forms."""

    opens = frozenset({"blank"})

    @expose("/blank/")
    def blank(self) -> Response:
        return blank_form(kind_sent(request.args))


class BlankFormScreen(ListExport):
    """The operator's table of blank forms, one line per kind of attachment; an export has only those with a file."""

    roles = frozenset({Role.OPERATOR})
    opens = frozenset({"file", "save_form", "remove"})
    column_list = ("kind", "name", "size", "uploaded_at")
    column_default_sort = ("id", False)
    column_labels = labels_of(BlankForm) | {"size": _l("大小（字节）")}
    form_columns: Any = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(BlankForm, db, **kwargs)

    @expose("/")
    def index_view(self) -> Any:
        return self.render(
            "screens/blank_forms.html",
            kinds=AttachmentKind,
            forms=blank_forms.listed(db.session()),
            readable=on_screen,
            remove_button=self.remove_button,
        )

    @expose("/file/")
    def file(self) -> Response:
        """The file as applicants download it."""
        return blank_form(kind_sent(request.args))

    @expose("/keep/", methods=("POST",))
    def save_form(self) -> Any:
        """Add or replace the file of a kind: store its bytes, then its row and log entry; commits."""
        kind, file = kind_sent(request.form), request.files.get("file")
        version = number_of(request.form.get("version")) or 0

        def act() -> str:
            if file is None or not file.filename:
                raise Refused(_("请先选择文件。"))
            limit, name = int(current_app.config["ATTACHMENT_MB"]) << 20, clean_name(file.filename)
            stored = store().put(cast(BinaryIO, file.stream), name, limit, current_user.id)
            row = blank_forms.save(db.session(), kind, version, stored, name, current_user)
            note(Operation.BLANK_FORM_REPLACED if version else Operation.BLANK_FORM_ADDED, kind.label, row.name)
            return _("已保存，申请单位现在可以下载「%(kind)s」的空白表格。", kind=kind.label)

        commit_then_flash(act)
        return redirect(self.get_url(".index_view"), 303)

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """移除: the file is not offered any more; commits."""
        kind, version = kind_sent({"kind": request.form.get("id")}), number_of(request.args.get("version")) or 0

        def act() -> str:
            name = blank_forms.remove(db.session(), kind, version)
            note(Operation.BLANK_FORM_REMOVED, kind.label, name)
            return _("已移除，「%(kind)s」不再提供空白表格。", kind=kind.label)

        commit_then_flash(act)
        return redirect(self.get_url(".index_view"), 303)

    def remove_button(self, row: BlankForm) -> Any:
        ask = _("确定要移除「%(kind)s」的空白表格吗？申请单位将不能再下载。", kind=row.kind.label)
        where = self.get_url(".remove", version=row.version)
        return button_html(Button("remove", _("移除"), where, ask), row.kind.value)
