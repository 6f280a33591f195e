"""One page of a list: how many rows there are, and which of them it shows, equally fast at any size of the table."""

from typing import Any

from flask import g
from sqlalchemy import func
from sqlalchemy.orm import Query, joinedload
from sqlalchemy.sql.operators import desc_op

from models.database import db
from views.panel.saving import SavingView

REACH = 10_000  # rows the numbered pager can reach; the count stops there too, and says so
NUMBERS = ("number", "message_id")  # columns that a query form may ask for the beginning of


class CappedCount(Query[Any]):
    """A count that stops one past REACH: exact totals over a million rows are what makes such lists slow."""

    def scalar(self) -> int:
        rows = self.limit(REACH + 1).subquery()
        return int(self.session.query(func.count()).select_from(rows).scalar() or 0)


class PagedView(SavingView):
    """A list whose rows are narrowed by a query form, counted up to REACH, and shown page by page."""

    def query(self) -> Any:
        """The query form over the address, made once a request; None where there is none."""
        return None

    def narrow(self, query: Any) -> Any:
        """The rows this screen is about, narrowed by the query form; an invalid question finds nothing."""
        form = self.query()
        return form.narrow(query) if form else query

    def get_count_query(self) -> Any:
        return self.narrow(CappedCount([self.model.id], session=db.session()))

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
        """(count, rows of one page): of the last page where there is none so far, no query where there is no row."""
        form, size = self.query(), page_size or self.page_size
        if form is not None and not form.validate():
            g.page = 0
            return 0, []
        if form is not None:
            form.newest = REACH + 1 if sort_column not in self._sortable_columns else None
        count = self.get_count_query().scalar()
        g.page = max(0, min(page or 0, (min(count, REACH) - 1) // size))
        if not count:
            return 0, []
        order = self.order(sort_column, bool(sort_desc))
        if form is not None:
            form.many = count > REACH and order[0].element.key not in NUMBERS
        query = self.get_query().options(*(joinedload(relation) for relation in self._auto_joins))
        ids = self.page_ids(order, count).limit(size).offset(g.page * size)
        return count, query.filter(self.model.id.in_(ids.subquery().select())).order_by(*order).all()

    def order(self, sort_column: Any, descending: bool) -> list[Any]:
        """Every sort ends with the id in the same direction: pages never overlap, and one index serves."""
        by = [(column, desc) for column, _joins, desc in self._get_default_order()]
        if sort_column in self._sortable_columns:
            by = [(self._sortable_columns[sort_column], descending)]
        if by[-1][0] is not self.model.id:
            by.append((self.model.id, by[-1][1]))
        return [directed(column, desc) for column, desc in by]

    def page_ids(self, order: list[Any], count: int) -> Query[Any]:
        """The ids of the rows in order: late row lookup, so that OFFSET skips over entries of an index.

        Where no index leads through the filtered rows in this order, they are sorted, as long as the pager reaches
        them all: the inner LIMIT keeps the planner from walking through the whole table in that order.
        """
        asked, names = self.asked_fields(), [by.element.key for by in order]
        rows = self.narrow(db.session.query(self.model.id))
        if count > REACH or self.in_order(asked, names):
            return rows.order_by(*order)
        found = rows.add_columns(*(by.element for by in order[:-1])).limit(REACH + 1).subquery()
        by_found = [(found.c[by.element.key], by.modifier) for by in order]
        return db.session.query(found.c.id).order_by(
            *(directed(column, modifier is desc_op) for column, modifier in by_found)
        )

    def asked_fields(self) -> set[str]:
        """The names of the filled fields of the query form."""
        form = self.query()
        return {field.name for field in form.filled()} if form else set()

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        """Whether an index leads through the rows of these fields of the query form in this order."""
        return not asked


def directed(column: Any, descending: bool) -> Any:
    """The column as one of ORDER BY."""
    return column.desc() if descending else column.asc()
