"""Pages of a list: a capped count and late row lookup, so that the time does not depend on the size of the table."""

from array import array
from collections.abc import Callable, Iterator
from typing import Any

from flask import g
from sqlalchemy import func
from sqlalchemy.orm import Query, joinedload
from sqlalchemy.sql.operators import desc_op

from models.database import db, is_sqlite, unindexed
from views.panel.saving import SavingView

CHUNK = 500  # rows that an export reads at a time
REACH = 10_000  # rows that the numbered pager of a list can reach
NUMBERS = ("number", "message_id")  # columns that a query form searches by their beginning


class PagedView(SavingView):
    """A list with a query form, whose rows are counted up to `reach`."""

    most_reached = REACH  # less where each row costs more to count than an entry of an index

    @property
    def reach(self) -> int:
        """Rows that the numbered pager can reach; the count stops there, too."""
        return min(REACH, self.most_reached)

    def query(self) -> Any:
        """The query form filled from the address, built once per request; None for a screen without one."""
        return None

    def narrow(self, query: Any) -> Any:
        """`query` with the conditions of this screen and its query form; an invalid form finds no rows."""
        form = self.query()
        return form.narrow(query) if form else query

    def count_rows(self) -> int:
        """The number of rows, up to `reach` + 1: counting a million rows exactly would make the list slow."""
        return self.count_up_to_reach(self.narrow(db.session.query(self.model.id)))

    def count_up_to_reach(self, ids: Any) -> int:
        """The number of rows of a query of ids, up to `reach` + 1."""
        rows = ids.limit(self.reach + 1).subquery()
        return int(db.session.query(func.count()).select_from(rows).scalar() or 0)

    def get_query(self) -> Any:
        return db.session.query(self.model)

    def get_list(
        self,
        page: int | None,
        sort_column: Any,
        sort_desc: Any,
        search: Any,
        filters: Any,
        execute: bool = True,
        page_size: int | None = None,
    ) -> tuple[int, list[Any]]:
        """(count, rows of one page); beyond the end those of the last page, and without rows no second query."""
        form, size = self.query(), page_size or self.page_size
        if form is not None and not form.valid:
            g.page = 0
            return 0, []
        if form is not None:
            form.newest = self.reach + 1 if sort_column not in self._sortable_columns else None
        order = self.order(sort_column, bool(sort_desc))
        count, ids = self.counted(order, page or 0, size)
        g.page = max(0, min(page or 0, (min(count, self.reach) - 1) // size))
        if not count:
            return 0, []
        if form is not None:
            form.many = count > self.reach and order[0].element.key not in NUMBERS
            if form.newest and order[0].element.key == "id" and order[0].modifier is desc_op:
                form.newest = (g.page + 1) * size  # the search index is in the order of the list
        query = self.get_query().options(*(joinedload(relation) for relation in self._auto_joins))
        if ids:
            return count, query.filter(self.model.id.in_(ids)).order_by(*in_sql(order)).all()
        found = self.page_ids(order, count).limit(size).offset(g.page * size).subquery()
        if count > self.reach and not self.is_in_order(order):  # so SQLite looks for these rows along this order, too
            return count, query.filter(self.model.id.in_(found.select())).order_by(*in_sql(order)).all()
        # Sorted outside any index: along one in this order SQLite would read each row in scope, not those of the page.
        sorted_page = in_sql(order, unindexed)
        return count, query.join(found, self.model.id == found.c.id).order_by(*sorted_page).all()

    def counted(self, order: list[Any], page: int, size: int) -> tuple[int, list[int]]:
        """(number of rows, `reach` + 1 at most; the ids of this page, or none if they are still to be asked for)."""
        form = self.query()
        if form is not None and (count := form.count_in_index()) is not None:
            return count, []
        if not self.is_sorted_on_postgresql(order):
            return self.count_rows(), []
        count, ids = self.count_and_page(order, page, size)
        if not ids and page:
            count = self.count_rows()
        return count, ids if count <= self.reach else []

    def is_sorted_on_postgresql(self, order: list[Any]) -> bool:
        """Whether the rows found are sorted on PostgreSQL, which would read them for their number as well."""
        return bool(self.asked_fields()) and not self.is_in_order(order) and not is_sqlite(db.session())

    def is_in_order(self, order: list[Any]) -> bool:
        """in_order() for the query of this request."""
        return self.in_order(self.asked_fields(), [by.element.key for by in order])

    def count_and_page(self, order: list[Any], page: int, size: int) -> tuple[int, list[int]]:
        """(number of rows, ids of this page) in one statement; (0, []) without rows, and beyond the last page."""
        found = self.found_rows(order)
        rows = db.session.query(found.c.id, func.count().over()).order_by(*in_found(found, order))
        rows = rows.limit(size).offset(page * size).all()
        return (rows[0][1], [key for key, _count in rows]) if rows else (0, [])

    def order(self, sort_column: Any, descending: bool) -> list[Any]:
        """ORDER BY columns; the id in the same direction comes last: pages never overlap, and one index serves."""
        by = [(column, desc) for column, _joins, desc in self._get_default_order()]
        if sort_column in self._sortable_columns:
            by = [(self._sortable_columns[sort_column], descending)]
        if by[-1][0] is not self.model.id:
            by.append((self.model.id, by[-1][1]))
        return [directed(column, desc) for column, desc in by]

    def page_ids(self, order: list[Any], count: int) -> Query[Any]:
        """The ids of the rows in order, for late row lookup: OFFSET then skips index entries, not rows.

        If no index holds the filtered rows in this order, up to `reach` rows are sorted: the inner LIMIT prevents
        the planner from scanning the whole table in that order.
        """
        if count > self.reach or self.is_in_order(order):
            return self.narrow(db.session.query(self.model.id)).order_by(*in_sql(order))
        found = self.found_rows(order)
        return db.session.query(found.c.id).order_by(*in_found(found, order))

    def found_rows(self, order: list[Any]) -> Any:
        """A subquery of the rows found in any order, `reach` + 1 at most, with the columns to sort them by."""
        rows = self.narrow(db.session.query(self.model.id)).add_columns(*(by.element for by in order[:-1]))
        return rows.limit(self.reach + 1).subquery()

    def all_ids(self) -> "array[int]":
        """The ids of all rows of the current query in the default order of the list; 8 bytes per row."""
        rows = self.narrow(db.session.query(self.model.id)).order_by(*in_sql(self.order(None, False)))
        return array("q", (key for (key,) in rows.yield_per(REACH)))

    def asked_fields(self) -> set[str]:
        """The names of the filled fields of the query form."""
        form = self.query()
        return {field.name for field in form.filled()} if form else set()

    def order_note(self) -> str:
        """What the list says about its order while no column was chosen; "" for the usual one."""
        return ""

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        """Whether an index holds the rows that these fields of the query form select in this order."""
        return not asked


def in_found(found: Any, order: list[Any]) -> list[Any]:
    """`order` by the columns of found_rows()."""
    return in_sql(order, lambda column: found.c[column.key])


def in_sql(order: list[Any], expression: Callable[[Any], Any] = lambda column: column) -> list[Any]:
    """ORDER BY for `order`, by the `expression` of each column; rows without a value come after all others.

    Descending they come first. That is the order of PostgreSQL's indexes; SQLite's have those rows at the other end,
    but it reads them by themselves if it is told so for the first column. Later columns have no NULL.
    """
    first, *others = (directed(expression(by.element), by.modifier is desc_op) for by in order)
    if order[0].element.nullable:
        first = first.nulls_first() if order[0].modifier is desc_op else first.nulls_last()
    return [first, *others]


def directed(column: Any, descending: bool) -> Any:
    """The column with its direction for ORDER BY."""
    return column.desc() if descending else column.asc()


def chunks(ids: "array[int]", size: int) -> Iterator[list[int]]:
    """The ids in lists of `size`."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size].tolist()
