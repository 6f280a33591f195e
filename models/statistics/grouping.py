"""Parts shared by the statements of 统计: column of a dimension, condition on the province, columns without index."""

from typing import Any

from sqlalchemy import ColumnElement, Select, distinct, func, literal

from models.application import Application
from models.application.carriers import Carrier
from models.database import unindexed
from models.statistics.figures import Asked
from models.statistics.periods import Dimension

COLUMNS: dict[Dimension | None, Any] = {  # whose values are those of the dimension; months follow from a day instead
    Dimension.PROVINCE: Application.province,
    Dimension.PUBLISHER: Application.publisher_code,
    Dimension.COUNTRY: Application.country,
    Dimension.KIND: Carrier.kind,
}
ONLY_BY_PROVINCE = {Dimension.PUBLISHER}  # of which `act_count` has no scope NATION: it would have the same rows again


def row_key(asked: Asked) -> ColumnElement[Any]:
    """SQL for the value of the dimension, labelled row_key; "" for months, quarters and the total."""
    return unindexed(COLUMNS.get(asked.dimension, literal(""))).label("row_key")


def with_carriers(rows: Select[Any], asked: Asked, key: Any) -> Select[Any]:
    """`rows`, joined with the carriers of the applications if the dimension is a column of those.

    `key`: the id of the application in the table that the rows begin with: by an outer joined application SQLite would
    begin with every application in scope.
    """
    return rows.join(Carrier, Carrier.application_id == key) if asked.dimension is Dimension.KIND else rows


def times(asked: Asked, key: Any) -> ColumnElement[int]:
    """SQL: the number of different `key`: with_carriers() repeats each in several rows."""
    return func.count(distinct(key)) if asked.dimension is Dimension.KIND else func.count()


def in_province(asked: Asked) -> list[ColumnElement[bool]]:
    """[the condition on the province of the application]; [] when all provinces are asked for."""
    return [unindexed(Application.province) == asked.province] if asked.province else []
