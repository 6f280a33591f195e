"""Sort orders of lists of applications, which of them indexes hold, and what is read for the rows of a page."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import defer

from models.application import Application
from models.columns import written
from models.database import db, is_sqlite
from views.panel import deadlines
from views.panel.filing_query import AMOUNTS
from views.panel.one_export import ExportScreen
from views.panel.paging import directed
from views.panel.query import OwnQuery

SEARCHED = ("title_key", "title_sort", "publisher_sort")  # columns to search and sort by
UNLISTED = [defer(getattr(Application, name)) for name in (*written(Application), *SEARCHED) if name != "title"]
BY_PINYIN = (("title", "title_sort"), ("publisher_name", "publisher_sort"))
DATES = {"since", "until"}
# (fields of the query form, columns by which an index holds the selected rows in order)
IN_ORDER: tuple[tuple[set[str], set[str]], ...] = (
    ({"status"}, {"id", "applied_on", "status_order"}),
    ({"status", *DATES}, {"applied_on"}),
    ({"province"}, {"id", "publisher_sort"}),
    ({"number"}, {"number"}),
    ({"publisher_code"}, {"id"}),
    ({"country"}, {"id"}),
    ({"status", *AMOUNTS}, {"sheets"}),
)

MOST_TITLES = 3000  # found on PostgreSQL, whose index of titles knows no scope: each is read to be counted
NOTES = {"applied_on": _l("按申请日期从新到旧排列"), "sheets": _l("按数量（张）从多到少排列")}


class FilingOrder(ExportScreen):
    """A list of applications and its export: sort orders, and what is read for their rows."""

    query_form: Any = OwnQuery
    column_sortable_list: Any = (
        ("number", "id"), *BY_PINYIN, ("amounts", "sheets"), "applied_on", ("status", "status_order"),
    )  # fmt: skip

    @property
    def reach(self) -> int:
        titles = "title" in self.asked_fields() and not is_sqlite(db.session())
        return min(super().reach, MOST_TITLES) if titles else super().reach

    def get_query(self) -> Any:
        """The rows of a list, without columns that no list shows: half of the time to load them."""
        return super().get_query().options(*UNLISTED)

    def get_list(self, *args: Any, **options: Any) -> tuple[int, list[Any]]:
        count, rows = super().get_list(*args, **options)
        deadlines.load_for(rows)
        return count, rows

    def _get_default_order(self) -> Any:
        """Newest first; with a range of dates or amounts by those, so that range and order are one index range."""
        asked = self.asked_fields()
        names = ("applied_on", "id") if asked & DATES else ("sheets", "id") if asked & AMOUNTS else ("id",)
        return [(getattr(Application, name), [], True) for name in names]

    def order_note(self) -> str:
        return str(NOTES.get(self._get_default_order()[0][0].key, ""))

    def order(self, sort_column: Any, descending: bool) -> list[Any]:
        """As the indexes hold it: statuses within dates by date, and beginnings of numbers by 申请单号."""
        order = super().order(sort_column, descending)
        asked = self.asked_fields()
        if sort_column == "status" and asked & DATES:
            order.insert(1, directed(Application.applied_on, descending))
        if "number" in asked and len(order) == 1:
            order.insert(0, directed(Application.number, descending or sort_column != "number"))
        return order

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        return not asked or any(asked <= fields and order[0] in columns for fields, columns in IN_ORDER)
