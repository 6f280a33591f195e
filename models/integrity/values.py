"""Invalid values: words outside the vocabulary, and references to missing rows."""

from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import Column, String, Table, cast, exists, func, select
from sqlalchemy.orm import Session

from models.database import Base
from models.vocabulary import WordColumn


def unknown_words(session: Session) -> Iterator[str]:
    """Yield a sentence for each column with words outside the vocabulary, whose rows no page can show."""
    for table, column in _columns():
        if isinstance(column.type, WordColumn):
            known = [word.value for word in column.type.words]
            count = session.scalar(
                select(func.count()).select_from(table).where(cast(column, String(64)).not_in(known))
            )
            if count:
                yield _("%(count)s 条 %(table)s 记录的 %(column)s 不是词表内的值。", count=count, **_names(column))


def lost_references(session: Session) -> Iterator[str]:
    """Yield a sentence for each column that refers to missing rows."""
    for table, column in _columns():
        for key in column.foreign_keys:
            target = key.column.table.alias()
            there = exists().where(target.c[key.column.name] == column)
            lost = select(func.count()).select_from(table).where(column.is_not(None), ~there)
            if count := session.scalar(lost):
                yield _("%(count)s 条 %(table)s 记录的 %(column)s 指向不存在的记录。", count=count, **_names(column))


def _columns() -> Iterator[tuple[Table, Column[object]]]:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            yield table, column


def _names(column: Column[object]) -> dict[str, str]:
    return {"table": column.table.name, "column": column.name}
