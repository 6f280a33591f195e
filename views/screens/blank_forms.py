"""空白表格: the operator offers one PDF for each kind of attachment; a press downloads it, fills it in, uploads it."""

from typing import Any, BinaryIO, cast

from flask import Response, abort, current_app, flash, redirect, request, send_file
from flask_admin import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user

from models.application import blank_forms
from models.application.blank_forms import ACCEPTED
from models.application.file_names import clean_name
from models.database import db
from models.log import Operation
from models.vocabulary import AttachmentKind, Role
from models.workflow import Refused
from views.panel.display import Button, button_html, on_screen
from views.panel.download import name_plainly
from views.panel.fields import number_of
from views.panel.logged import note
from views.panel.saving import races_as_refusals
from views.panel.screen import Screen
from views.resources import store
from views.screens.downloads import content_of


def kind_sent(sent: Any) -> AttachmentKind:
    """The kind that a request names, or 400."""
    return AttachmentKind(sent["kind"]) if sent.get("kind") in set(AttachmentKind) else abort(400)


def blank_form(kind: AttachmentKind) -> Response:
    """The file, to be kept under its own name."""
    file = blank_forms.listed(db.session()).get(kind) or abort(404)
    response = send_file(
        content_of(file), mimetype=ACCEPTED, as_attachment=True, download_name=file.name, etag=file.digest
    )
    response.content_length = file.size
    return name_plainly(response, file.name, f"blank-{kind.value}.pdf")


class BlankDownloadScreen(Screen):
    """The part of 备案证明申请 that hands them out."""

    opens = frozenset({"blank"})

    @expose("/blank/")
    def blank(self) -> Response:
        return blank_form(kind_sent(request.args))


class BlankFormScreen(BaseView):
    """One line for each kind of attachment, for the operator."""

    def is_accessible(self) -> bool:
        return current_user.is_authenticated and current_user.role is Role.OPERATOR

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        abort(403)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """(label, address) of its line in the menu."""
        return [(self.name, f"{self.url}/")]

    @expose("/")
    def index(self) -> Any:
        return self.render(
            "screens/blank_forms.html",
            kinds=AttachmentKind,
            forms=blank_forms.listed(db.session()),
            readable=on_screen,
            remove_button=self.remove_button,
        )

    @expose("/file/")
    def file(self) -> Response:
        """As a press gets it."""
        return blank_form(kind_sent(request.args))

    @expose("/keep/", methods=("POST",))
    def keep(self) -> Any:
        """A first file of a kind, or another one: bytes to disk, then the row that names them, with its entry."""
        kind, file = kind_sent(request.form), request.files.get("file")
        seen = number_of(request.form.get("version")) or 0
        if file is None or not file.filename:
            return self.done(_("请先选择文件。"), "error")
        limit, name = int(current_app.config["ATTACHMENT_MB"]) << 20, clean_name(file.filename)
        try:
            stored = store().put(cast(BinaryIO, file.stream), name, limit, current_user.id)
            with races_as_refusals():
                row = blank_forms.keep(db.session(), kind, seen, stored, name, current_user)
                what = Operation.BLANK_FORM_REPLACED if seen else Operation.BLANK_FORM_ADDED
                note(what, str(kind.label), row.name)
                db.session.commit()
        except Refused as refused:
            db.session.rollback()
            return self.done(str(refused), "error")
        return self.done(_("已保存，申请单位现在可以下载「%(kind)s」的空白表格。", kind=kind.label), "success")

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """Offered no more."""
        kind, seen = kind_sent({"kind": request.form.get("id")}), number_of(request.args.get("version")) or 0
        try:
            name = blank_forms.remove(db.session(), kind, seen)
            note(Operation.BLANK_FORM_REMOVED, str(kind.label), name)
            db.session.commit()
        except Refused as refused:
            db.session.rollback()
            return self.done(str(refused), "error")
        return self.done(_("已移除，「%(kind)s」不再提供空白表格。", kind=kind.label), "success")

    def done(self, words: str, tone: str) -> Any:
        """Back to the list, which tells these words."""
        flash(words, tone)
        return redirect(self.get_url(".index"), 303)

    def remove_button(self, row: blank_forms.BlankForm) -> Any:
        ask = _("确定要移除「%(kind)s」的空白表格吗？申请单位将不能再下载。", kind=row.kind.label)
        where = self.get_url(".remove", version=row.version)
        return button_html(Button("remove", _("移除"), where, ask), row.kind.value)
