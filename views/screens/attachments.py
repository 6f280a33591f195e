"""上传附件: upload a file as soon as it is chosen, and remove it, while the application may be edited."""

from typing import Any, BinaryIO, cast

from flask import abort, current_app, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from models.acts import uploads
from models.application import Application, locking
from models.application.accepted_files import TryAgain
from models.application.attachments import Attachment
from models.application.file_names import clean_name
from models.database import commit_and_keep, db
from models.files.store_errors import StoreUnusable
from models.vocabulary import AttachmentKind
from models.workflow import Refused
from views.panel.fields import number_of
from views.resources import bounds, store
from views.screens.filing import FilingScreen

MOST_REFUSALS = 5  # flashed messages are stored in the session cookie
WITHOUT_SCRIPT = "plain"  # field of the forms inside <noscript>: answered by a page, not by JSON


def attach(row: Application | None, kind: AttachmentKind, file: FileStorage) -> Attachment:
    """Attach the uploaded file, replacing the file named in `replaces`, if any. Raises Refused; the caller commits."""
    replaces = number_of(request.form["replaces"]) or 0 if "replaces" in request.form else None
    limit = int(current_app.config["ATTACHMENT_MB"]) << 20
    content, name = cast(BinaryIO, file.stream), file.filename or ""
    return uploads.attach(db.session(), row, kind, content, name, current_user, store(), limit, replaces, bounds())


class UploadScreen(FilingScreen):
    """The part of 备案证明申请 for attachments."""

    opens = FilingScreen.opens | {"upload", "remove"}

    @expose("/upload/", methods=("POST",))
    def upload(self) -> Any:
        """Attach one file and commit, even if the form is never saved. A blank form becomes a draft."""
        key, file = request.form.get("id"), request.files.get("file")
        if file is None or request.form.get("kind") not in set(AttachmentKind):
            abort(400)
        kind = AttachmentKind(request.form["kind"])
        row = self.present(key) if key else None
        if row is not None and WITHOUT_SCRIPT in request.form:
            return self.upload_then_redirect(row.id, kind)
        try:
            attached = attach(row, kind, file)
            commit_and_keep(db.session())
        except Refused as refused:
            db.session().rollback()
            # after 503 the page keeps the file and offers to try again
            status = {locking.Conflict: 409, TryAgain: 503, StoreUnusable: 503}.get(type(refused), 422)
            return jsonify(message=str(refused)), status
        return self._box(attached.application, kind, note=same_name(attached))

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """移除: remove a file while the application may be edited, and commit."""
        row = self.named_row(request.form.get("id"))
        key = row.id  # after a rollback the row may be deleted
        attachment = request.form.get("attachment", 0, type=int)
        if attachment not in {file.id for file in row.current_attachments}:
            abort(404)
        try:
            file = uploads.detach(db.session(), row, attachment, by=current_user)
            commit_and_keep(db.session())
        except Refused as refused:
            db.session().rollback()
            if WITHOUT_SCRIPT in request.form:
                flash(str(refused), "error")
                return self.to_boxes(key)
            return jsonify(message=str(refused)), 409
        if WITHOUT_SCRIPT in request.form:
            flash(_("已移除“%(name)s”。", name=file.name), "success")
            return self.to_boxes(key)
        return self._box(row, file.kind)

    def upload_then_redirect(self, key: int, kind: AttachmentKind) -> Any:
        """Attach the files of a form without script, each in a transaction of its own, and flash what happened."""
        notes: list[str] = []  # one of each file that was uploaded
        refusals: list[str] = []
        for file in request.files.getlist("file"):
            row = self.present(key)  # again after each commit or rollback: it may be deleted meanwhile
            try:
                if not file.filename:
                    raise Refused(_("请先选择文件。"))
                attached = attach(row, kind, file)
                uploaded, same = _("已上传“%(name)s”。", name=attached.name), same_name(attached)
                db.session().commit()
            except Refused as refused:
                db.session().rollback()
                refusals.append(with_name(refused, file.filename or ""))
            else:
                notes.append(same or uploaded)
        self.present(key)
        flash_uploads(notes, refusals)
        return self.to_boxes(key)

    def present(self, key: Any) -> Application:
        """The application that files are sent to; raises Missing if it was deleted meanwhile, or never existed."""
        words = _(
            "没有找到这份申请，可能已由同事或在另一个窗口中删除，文件没有保存。仍需办理的，请新建申请后重新上传。"
        )
        row: Application = self.named_row(key, words)
        return row

    def to_boxes(self, key: int) -> Any:
        """Redirect to the attachments in the form."""
        return redirect(self.get_url(".edit_view", id=key, _anchor="attachments"), 303)

    def _box(self, row: Application, kind: AttachmentKind, note: str = "") -> Any:
        """JSON: rendered files of one kind, the draft with its address, and a note about the file."""
        html = super().render("screens/files.html", model=row, kind=kind, editable=True)
        edit = self.get_url(".edit_view", id=row.id)
        return jsonify(id=row.id, number=row.number, version=row.version, html=html, edit=edit, note=note)


def flash_uploads(notes: list[str], refusals: list[str]) -> None:
    """The note of a single uploaded file, or the count of several; the first refusals, and how many more there are."""
    if notes:
        flash(notes[0] if len(notes) == 1 else _("已上传 %(count)s 个文件。", count=len(notes)), "success")
    for sentence in refusals[:MOST_REFUSALS]:
        flash(sentence, "error")
    if len(refusals) > MOST_REFUSALS:
        flash(_("另有 %(count)s 个文件没有上传，请逐个上传。", count=len(refusals) - MOST_REFUSALS), "error")


def with_name(refused: Refused, name: str) -> str:
    """The refusal with the name of the file; "" for none."""
    name = clean_name(name) if name else ""
    return str(refused) if name in str(refused) else _("%(label)s：%(sentence)s", label=name, sentence=refused)


def same_name(attached: Attachment) -> str:
    """The note for a file whose name another file of this kind has as well; "" otherwise."""
    of_kind = [file.name for file in attached.application.current_attachments if file.kind == attached.kind]
    if of_kind.count(attached.name) < 2:
        return ""
    return _("“%(name)s”与已有的文件同名，都已保留；如是重复上传，请移除一份。", name=attached.name)
