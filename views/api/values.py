"""Column values as JSON, and the JSON Schema of these values; both derived from the column, so that they agree."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Boolean, Date, Integer

from models.clock import Moment
from models.codes import labels
from models.database import Exact, db
from models.vocabulary import Word, WordColumn
from views.panel.display import once

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}


@dataclass(frozen=True)
class Field:
    """A member of a JSON object: its name, its schema, and a function from row to JSON value."""

    name: str
    schema: Callable[[], Schema]  # called per document: labels are in the language of the request
    value: Callable[[Any], Any]


def as_json(fields: Iterable[Field], row: Any) -> dict[str, Any]:
    """The object of a row."""
    return {field.name: field.value(row) for field in fields}


def schema_of(fields: Iterable[Field], **more: Any) -> Schema:
    """The schema of as_json(): all members are required, others are not allowed."""
    members = {field.name: field.schema() for field in fields}
    return {"type": "object", "properties": members, "required": [*members], "additionalProperties": False} | more


def columns(model: Any, *names: str) -> tuple[Field, ...]:
    """Members that are columns of a model."""
    return tuple(map(_of_column, (model.__table__.columns[name] for name in names)))


def _of_column(column: Any) -> Field:
    name = column.key
    return Field(name, lambda: column_schema(column), lambda row: column_value(column, getattr(row, name)))


def of_part(part: Callable[[Any], Any], fields: Iterable[Field]) -> tuple[Field, ...]:
    """The members of a part of an object, as members of the object itself."""
    return tuple(replace(field, value=partial(_value_of_part, field, part)) for field in fields)


def _value_of_part(field: Field, part: Callable[[Any], Any], whole: Any) -> Any:
    return field.value(part(whole))


def column_value(column: Any, value: Any) -> Any:
    """A stored value as JSON: codes and words as {code, label}, exact numbers as text, moments in Beijing time."""
    if value is None:
        return None
    if "codes" in column.info:
        return {"code": value, "label": labels_of(column.info["codes"]).get(value, value)}
    match value:
        case Word():
            return word(value)
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return value


def word(value: Word) -> dict[str, str]:
    """A Word as {code, label}."""
    return {"code": value.value, "label": str(value.label)}


def labels_of(name: str) -> dict[str, str]:
    """Code → label of a code list; queried once per request."""
    return once(("labels", name), lambda: labels(name, db.session()))


def column_schema(column: Any) -> Schema:
    """The schema of column_value()."""
    schema = _kind_of(column)
    if column.nullable:
        schema |= {"type": [schema["type"], "null"]}
    label = column.info.get("label")
    return ({"title": str(label)} if label else {}) | schema


def _kind_of(column: Any) -> Schema:
    if "codes" in column.info:
        return coded()
    match column.type:
        case WordColumn() as words:
            return coded([each.value for each in words.words])
        case Moment():
            return {"type": "string", "format": "date-time"}
        case Date():
            return {"type": "string", "format": "date"}
        case Exact():
            return {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
        case Boolean():
            return {"type": "boolean"}
        case Integer():
            return {"type": "integer"}
    return dict(TEXT)


def coded(codes: list[str] | None = None) -> Schema:
    """The schema of a code with its label."""
    members = {"code": TEXT | ({"enum": codes} if codes else {}), "label": TEXT}
    return {"type": "object", "properties": members, "required": ["code", "label"], "additionalProperties": False}
