"""A table that is replaced by a file, in two steps: a preview of what would change, and its confirmation."""

from typing import Any

from flask import current_app, flash, request
from flask_admin import expose
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from models.codes.sheet import read_sheet
from models.database import db
from models.workflow import Refused
from views.panel.saving import races_as_refusals
from views.panel.screen import Screen

LISTED = 100  # rows that each part of a preview lists


class ImportScreen(Screen):
    """The table in force. Between preview and confirmation the page itself carries the rows, signed."""

    opens = frozenset({"preview", "replace"})
    preview_template = "panel/import_preview.html"

    def read(self, rows: list[list[str]]) -> dict[str, Any]:
        """What the rows of a sheet say, as JSON, with `notes`, and `doubts` to be confirmed. Raises Refused."""
        raise NotImplementedError

    def compared(self, sent: dict[str, Any]) -> Any:
        """What that would change, for the preview."""
        raise NotImplementedError

    def take_in(self, sent: dict[str, Any]) -> str:
        """Write and commit it; the sentence that tells so. Raises Refused."""
        raise NotImplementedError

    @expose("/import/", methods=("POST",))
    def preview(self) -> Any:
        """导入, step one: what the file would change. Nothing is written."""
        file = request.files.get("file")
        try:
            sent = self.read(read_sheet(file.read() if file else b""))
        except Refused as refused:
            flash(str(refused), "error")
            return self.back()
        return self._page(sent)

    @expose("/import/confirm/", methods=("POST",))
    def replace(self) -> Any:
        """导入, step two: the rows of the preview, unless the table has changed meanwhile."""
        try:
            sent = self._signer().loads(request.form.get("rows", ""))
        except BadSignature:
            flash(_("预览已失效，请重新上传文件并核对。"), "error")
            return self.back()
        if sent["doubts"] and not request.form.get("checked"):
            return self._page(sent, unchecked=True), 422
        try:
            with races_as_refusals():
                flash(self.take_in(sent), "success")
        except Refused as refused:
            db.session().rollback()
            flash(str(refused), "error")
        return self.back()

    def _page(self, sent: dict[str, Any], unchecked: bool = False) -> Any:
        return self.render(
            self.preview_template,
            **sent,
            rows=self._signer().dumps(sent),
            change=self.compared(sent),
            unchecked=unchecked,
            listed=LISTED,
        )

    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(str(current_app.secret_key), salt=str(self.endpoint))
