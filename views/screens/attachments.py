"""上传附件: a file goes up the moment it is chosen, and comes out again, while the application may be edited."""

from typing import Any, BinaryIO, cast

from flask import abort, current_app, jsonify, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from models.acts import uploads
from models.application import Application, locking
from models.application.attachments import Attachment, TryAgain
from models.database import db
from models.files.store_errors import StoreUnusable
from models.vocabulary import AttachmentKind
from models.workflow import Refused
from views.panel.fields import number_of
from views.resources import bounds, store
from views.screens.filing import FilingScreen


def attach(row: Application | None, kind: AttachmentKind, file: FileStorage) -> Attachment:
    """Attach what the request brings, in place of the file that it `replaces`. Raises Refused."""
    replaces = number_of(request.form["replaces"]) or 0 if "replaces" in request.form else None
    limit = int(current_app.config["ATTACHMENT_MB"]) << 20
    content, name = cast(BinaryIO, file.stream), file.filename or ""
    return uploads.attach(db.session(), row, kind, content, name, current_user, store(), limit, replaces, bounds())


class UploadScreen(FilingScreen):
    """The screen of whoever may edit."""

    opens = FilingScreen.opens | {"upload", "remove"}

    @expose("/upload/", methods=("POST",))
    def upload(self) -> Any:
        """Upload one file as soon as it is chosen, even if the form is never saved. A blank form becomes a draft."""
        key, file = request.form.get("id"), request.files.get("file")
        if file is None or request.form.get("kind") not in set(AttachmentKind):
            abort(400)
        kind = AttachmentKind(request.form["kind"])
        row = (self.get_one(key) or abort(404)) if key else None
        try:
            attached = attach(row, kind, file)
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            # After 503 the page keeps the file.
            status = {locking.Conflict: 409, TryAgain: 503, StoreUnusable: 503}.get(type(refused), 422)
            return jsonify(message=str(refused)), status
        return self._box(attached.application, kind, note=same_name(attached))

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """Take a file out while the application may be edited."""
        row = self.get_one(request.form.get("id")) or abort(404)
        attachment = request.form.get("attachment", 0, type=int)
        if attachment not in {file.id for file in row.current_attachments}:
            abort(404)
        try:
            file = uploads.detach(db.session(), row, attachment, by=current_user)
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            return jsonify(message=str(refused)), 409
        return self._box(row, file.kind)

    def _box(self, row: Application, kind: AttachmentKind, note: str = "") -> Any:
        """The files of one kind, drawn anew, the address at which this draft is edited, and what to tell of a file."""
        html = super().render("screens/files.html", model=row, kind=kind, editable=True)
        edit = self.get_url(".edit_view", id=row.id)
        return jsonify(id=row.id, number=row.number, version=row.version, html=html, edit=edit, note=note)


def same_name(attached: Attachment) -> str:
    """What to tell when the application has another file of this name in the same kind; "" when it has none."""
    of_kind = [file.name for file in attached.application.current_attachments if file.kind == attached.kind]
    if of_kind.count(attached.name) < 2:
        return ""
    return _("“%(name)s”与已有的文件同名，都已保留；如是重复上传，请移除一份。", name=attached.name)
