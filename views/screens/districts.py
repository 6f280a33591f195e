"""关区代码: the operator replaces the whole table by a file, after a preview of what comes, changes and ends."""

from typing import Any

from flask import current_app, flash, request
from flask_admin import expose
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from models.codes import District
from models.codes.districts import compare, fingerprint, import_districts, table_of
from models.codes.sheet import read_sheet
from models.database import db
from models.vocabulary import Role
from models.workflow import Refused
from views.panel.query import DistrictQuery
from views.panel.saving import unique_violation_as_refusal
from views.panel.screen import Screen, labels_of

LISTED = 100  # districts that each part of the preview lists
SHRINKING = 0.1  # the share of the table that may end without being asked about


class DistrictScreen(Screen):
    """The table in force. Between preview and confirmation nothing is kept here: the page carries the rows, signed."""

    roles = frozenset({Role.OPERATOR})
    opens = frozenset({"preview", "replace"})
    list_template = "screens/districts.html"
    query_form = DistrictQuery
    column_list = ("code", "name", "ended")
    column_sortable_list = ("code", "name")
    column_labels = labels_of(District)
    column_default_sort = ("code", False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(District, db, **kwargs)

    @expose("/import/", methods=("POST",))
    def preview(self) -> Any:
        """导入, step one: what the file would change. Nothing is written."""
        file = request.files.get("file")
        try:
            table = table_of(read_sheet(file.read() if file else b""))
        except Refused as refused:
            flash(str(refused), "error")
            return self.back()
        change = compare(db.session(), table.names)
        if len(change.ended) > SHRINKING * change.before:
            counts = {"ended": len(change.ended), "before": change.before}
            table.doubts.append(_("现有 %(before)s 个关区中有 %(ended)s 个将停用，请确认文件是完整的。") % counts)
        seen = fingerprint(db.session())
        return self._page({"names": table.names, "notes": table.notes, "doubts": table.doubts, "seen": seen})

    @expose("/import/confirm/", methods=("POST",))
    def replace(self) -> Any:
        """导入, step two: the rows of the preview, unless the table has changed meanwhile."""
        try:
            sent = _signer().loads(request.form.get("rows", ""))
        except BadSignature:
            flash(_("预览已失效，请重新上传文件并核对。"), "error")
            return self.back()
        if sent["doubts"] and not request.form.get("checked"):
            return self._page(sent, unchecked=True), 422
        try:
            with unique_violation_as_refusal():
                change = import_districts(db.session(), sent["names"], sent["seen"])
                db.session().commit()
            counts = {"current": len(sent["names"]), "ended": len(change.ended)}
            flash(_("已导入 %(current)s 个关区，停用 %(ended)s 个。") % counts, "success")
        except Refused as refused:
            db.session().rollback()
            flash(str(refused), "error")
        return self.back()

    def _page(self, sent: dict[str, Any], unchecked: bool = False) -> Any:
        change = compare(db.session(), sent["names"])
        return self.render(
            "screens/districts_preview.html",
            **sent,
            rows=_signer().dumps(sent),
            change=change,
            unchecked=unchecked,
            listed=LISTED,
        )


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="districts")
