"""Import of a table from a file in two steps: a preview of the changes, then a confirmation."""

from typing import Any

from flask import current_app, flash, request
from flask_admin import expose
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from models.codes.sheet import read_sheet
from models.workflow import Refused
from views.panel.saving import commit_then_flash
from views.panel.screen import Screen

LISTED = 100  # rows in each part of a preview


class ImportScreen(Screen):
    """The current table. Between preview and confirmation the rows are in a signed field of the page."""

    opens = frozenset({"preview", "replace"})
    preview_template = "panel/import_preview.html"

    def read(self, rows: list[list[str]]) -> dict[str, Any]:
        """The rows of a sheet as a JSON object, with `notes` and `doubts` (to be confirmed). Raises Refused."""
        raise NotImplementedError

    def compared(self, sent: dict[str, Any]) -> Any:
        """The changes that read() rows would make, for the preview."""
        raise NotImplementedError

    def import_rows(self, sent: dict[str, Any]) -> str:
        """Write the rows; returns the sentence to show. Raises Refused.

        The caller commits db.session; an override that writes in another session commits that one itself.
        """
        raise NotImplementedError

    @expose("/import/", methods=("POST",))
    def preview(self) -> Any:
        """导入, step one: the changes that the file would make. Writes nothing."""
        file = request.files.get("file")
        try:
            sent = self.read(read_sheet(file.read() if file else b""))
        except Refused as refused:
            flash(str(refused), "error")
            return self.back()
        return self._page(sent)

    @expose("/import/confirm/", methods=("POST",))
    def replace(self) -> Any:
        """导入, step two: import the rows of the preview; refused if the table has changed since then."""
        try:
            sent = self._signer().loads(request.form.get("rows", ""))
        except BadSignature:
            flash(_("预览已失效，请重新上传文件并核对。"), "error")
            return self.back()
        if sent["doubts"] and not request.form.get("checked"):
            return self._page(sent, unchecked=True), 422
        commit_then_flash(lambda: self.import_rows(sent))
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
