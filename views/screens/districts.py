"""关区代码: the operator replaces the whole table from a file, after a preview of the changes."""

from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.codes import District
from models.codes.districts import Change, compare, fingerprint, import_districts, table_of
from models.database import db
from models.log import Operation
from models.text import clean_line
from models.vocabulary import Role
from views.panel.import_preview import ImportScreen
from views.panel.list_export import ListExport
from views.panel.logged import note
from views.panel.query import Condition, Query, text
from views.panel.screen import labels_of

SHRINKING = 0.1  # share of the table that may end without a confirmation


class DistrictQuery(Query):
    """Customs districts by code or name."""

    code = text(_l("关区代码"), read=clean_line)
    name = text(_l("关区名称"))
    conditions: ClassVar[dict[str, Condition]] = {
        "code": lambda words: District.code.startswith(words, autoescape=True),
        "name": lambda words: District.name.icontains(words, autoescape=True),
    }


class DistrictScreen(ListExport, ImportScreen):
    """The current table."""

    roles = frozenset({Role.OPERATOR})
    list_template = "screens/districts.html"
    preview_template = "screens/districts_preview.html"
    query_form = DistrictQuery
    column_list = ("code", "name", "ended")
    column_sortable_list = ("code", "name")
    column_labels = labels_of(District)
    column_default_sort = ("code", False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(District, db, **kwargs)

    def read(self, rows: list[list[str]]) -> dict[str, Any]:
        table = table_of(rows)
        change = compare(db.session(), table.names)
        if len(change.ended) > SHRINKING * change.before:
            counts = {"ended": len(change.ended), "before": change.before}
            table.doubts.append(_("现有 %(before)s 个关区中有 %(ended)s 个将停用，请确认文件是完整的。") % counts)
        previewed = fingerprint(db.session())
        return {"names": table.names, "notes": table.notes, "doubts": table.doubts, "seen": previewed}

    def compared(self, sent: dict[str, Any]) -> Change:
        return compare(db.session(), sent["names"])

    def import_rows(self, sent: dict[str, Any]) -> str:
        change = import_districts(db.session(), sent["names"], sent["seen"])
        counts = {"current": len(sent["names"]), "ended": len(change.ended)}
        summary = _l("已导入 %(current)s 个关区，停用 %(ended)s 个。", **counts)
        note(Operation.DISTRICTS_IMPORTED, words=summary, amount=len(sent["names"]))
        return str(summary)
