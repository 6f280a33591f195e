"""导出 of a list as it stands on the screen: the columns of the list, for all rows of its query."""

from array import array
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from flask_login import current_user
from sqlalchemy.orm import Session, joinedload

from models import access
from models.columns import readable
from models.people.accounts import Account
from views.panel.one_export import ExportScreen
from views.panel.paging import CHUNK, chunks
from views.panel.spreadsheet import Column, Sheet


class ListExport(ExportScreen):
    """A mixin, named before the other bases of a screen."""

    can_export = True
    # Column of the list → its value in a file, where that is no attribute of the row. Values are computed after the
    # request's commit: they use neither current_user nor relations that get_query() has not loaded.
    exported: ClassVar[dict[str, Callable[[Any], Any]]] = {}

    def columns(self) -> list[Column]:
        """The columns of the file."""
        return [
            Column(str(self.column_labels[name]), self.exported.get(name) or _attribute(name))
            for name in self.column_list
            if name != "acts"
        ]

    def sheets(self, name: str, ids: "array[int]") -> list[Sheet]:
        return [Sheet(name, self.columns(), self.rows_of(ids, current_user._get_current_object()))]

    def rows_of(self, ids: "array[int]", reader: Account) -> Iterator[Any]:
        """The rows with these ids, in this order, read in chunks."""
        related = [joinedload(relation) for relation in self._auto_joins]
        with access.as_seen_by(reader) as session:
            for keys in chunks(ids, CHUNK):
                query = self.get_query().with_session(session).options(*related).filter(self.model.id.in_(keys))
                found = {row.id: row for row in query}
                self.prepare(session, [*found.values()])
                session.expunge_all()
                session.rollback()
                yield from (found[key] for key in keys if key in found)

    def prepare(self, session: Session, rows: list[Any]) -> None:
        """Hook: query once what the columns of these rows need."""


def _attribute(name: str) -> Callable[[Any], Any]:
    """A function from row to the value of this attribute, readable; a customs district as its code alone."""
    return lambda row: readable(getattr(row, name), row.__table__.columns.get(name))
