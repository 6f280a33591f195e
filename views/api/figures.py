"""统计 as objects: the figures of the page 统计, counted by the same functions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from models import statistics
from models.codes import labels
from models.database import db
from models.people.accounts import Account
from models.statistics import Figures
from models.statistics.figures import OF_ISSUED, is_counted_for
from models.vocabulary import Action, Role
from views.api.parameters import PERIOD, problem_with, read_parameters
from views.api.values import TEXT, Field, Schema, as_json, coded, schema_of
from views.entrance.problems import Problem
from views.screens.statistics import FORMS
from views.screens.statistics_query import NationStatistics
from views.screens.statistics_table import names_of_rows

AMOUNT: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}


@dataclass(frozen=True)
class Counted:
    """One row. `key`: the value of the dimension, None in the total; `role`: who asks."""

    key: Any
    name: str
    figures: Figures
    role: Role


def counted(act: Action, value: Callable[[Figures], int]) -> Field:
    """A count, in a member with the name of the act; null for a role that does not read it."""
    return Field(
        act.value,
        lambda: {"type": "integer" if act in OF_ISSUED else ["integer", "null"]},
        lambda row: value(row.figures) if is_counted_for(row.role, act) else None,
    )


def times(act: Action) -> Field:
    """The number of acts of this kind."""
    return counted(act, lambda figures: figures.acts[act])


ROW = (
    Field("key", lambda: {"type": ["string", "null"]}, lambda row: None if row.key is None else str(row.key)),
    Field("name", lambda: TEXT, lambda row: row.name),
    counted(Action.SUBMIT, lambda figures: figures.submitted),
    times(Action.GRANT),
    times(Action.DECLINE),
    times(Action.REFUSE),
    times(Action.REVOKE),
    Field("quantities", lambda: quantities_schema(), lambda row: quantities(row.figures)),
    Field("median_days", lambda: AMOUNT | {"type": ["string", "null"]}, lambda row: median(row.figures)),
)


def median(figures: Figures) -> str | None:
    found = figures.median
    return None if found is None else f"{found:f}"


def quantities_schema() -> Schema:
    members = {"unit": coded() | {"type": ["object", "null"]}, "quantity": AMOUNT}
    item = {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}
    return {"type": "array", "items": item}


def quantities(figures: Figures) -> list[dict[str, Any]]:
    """进口数量 of what was issued, by unit."""
    units = labels("unit")
    return [
        {"unit": unit and {"code": unit, "label": units.get(unit, unit)}, "quantity": f"{amount:f}"}
        for unit, amount in sorted(figures.quantities.items(), key=lambda item: item[0] or "")
    ]


def schema() -> Schema:
    row = schema_of(ROW)
    members = {
        "since": day(),
        "until": day(),
        "dimension": PERIOD["dimension"],
        "province": {"type": ["string", "null"]},
    }
    members |= {"rows": {"type": "array", "items": row}, "total": row}
    return {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}


def day() -> Schema:
    return {"type": "string", "format": "date"}


def statistics_for(reader: Account) -> dict[str, Any]:
    """The answer. Raises Problem for an invalid period, a role without 统计, and another province than one's own.

    A province gets no row for others: row security hides them, and 0 would be false.
    """
    role = reader.role
    if role not in FORMS:
        raise Problem(403, _("统计只供省级审核和国家查询的账号读取。"))
    form = NationStatistics.of_address(MultiDict(read_parameters(PERIOD)))  # row security narrows it
    if not form.validate():
        raise problem_with("until", form.until.errors[0])
    asked = form.question()
    own = reader.province if role is Role.REVIEWER else None
    if own and asked.province not in (None, own):
        raise problem_with("province", _("只能读取本省的统计。"))
    asked = replace(asked, province=own or asked.province)
    rows, total = statistics.count(db.session(), asked)
    named = [Counted(key, name, figures, role) for key, name, figures in names_of_rows(asked, rows)]
    return {
        "since": str(asked.period.since),
        "until": str(asked.period.until),
        "dimension": form.dimension.data,
        "province": asked.province,
        "rows": [as_json(ROW, row) for row in named],
        "total": as_json(ROW, Counted(None, _("合计"), total, role)),
    }
