"""Query parameters of the list, by their JSON Schema. An unknown or invalid parameter is an error, never ignored."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from models.codes import names_of
from models.language import listed
from models.statistics.periods import Dimension
from models.vocabulary import Status
from views.api.values import Schema
from views.entrance.problems import Problem
from views.panel.filing_query import NationQuery
from views.panel.query import statuses

MOST, DEFAULT = 200, 50  # applications a page
TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
DAY: Schema = {"type": "string", "format": "date", "pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"}
AMOUNT: Schema = {"type": "string", "pattern": "^(0[.][0-9]{0,4}[1-9]|[1-9][0-9]{0,11}([.][0-9]{1,5})?)$"}
CURSOR: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,17}(-[0-9]{1,6})?$"}


class FeedQuery(NationQuery):
    """The query fields of all roles in one form; row security limits the rows to those of the account."""

    status = statuses(set(Status))
    by_amount = False


FIELDS: dict[str, Schema] = {  # of FeedQuery
    "title": TEXT,
    "number": TEXT,
    "certificate": TEXT,
    "publisher": TEXT,
    "status": {"type": "string", "enum": [status.value for status in Status]},
    "province": {"type": "string", "enum": [*names_of("province")]},
    "since": DAY,
    "until": DAY,
    "issued_since": DAY,
    "issued_until": DAY,
    "amount_since": AMOUNT,
    "amount_until": AMOUNT,
}
PAGING: dict[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT},
    "cursor": CURSOR,
}
PARAMETERS = FIELDS | PAGING
NO_CHANGE = "0"  # cursor of a program's first request for changes
CHANGES: dict[str, Schema] = {
    "changed_since": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,17}(-[0-9a-f]{8})?)$", "default": NO_CHANGE},
    "limit": PAGING["limit"],
}
PERIOD: dict[str, Schema] = {  # of NationStatistics
    "since": DAY,
    "until": DAY,
    "dimension": {"type": "string", "enum": [each.value for each in Dimension], "default": Dimension.PROVINCE.value},
    "province": FIELDS["province"],
}


@dataclass(frozen=True)
class ListQuery:
    """`after`: (id, 申请日期) of the last row of the previous page. `parameters`: as sent, for the next page."""

    form: FeedQuery
    matches_no_row: bool  # the query has a text that no stored value can contain
    limit: int
    after: tuple[int, date] | None
    parameters: dict[str, str]


def parse_query() -> ListQuery:
    """The query of this request. Raises Problem (400) with the parameter and the reason."""
    typed = read_parameters(PARAMETERS)
    form = FeedQuery(MultiDict({name: text for name, text in typed.items() if name in FIELDS}))
    valid = form.validate()
    for limit in (form.until, form.issued_until, form.amount_since, form.amount_until):
        if limit.errors:
            raise problem_with(limit.name, limit.errors[0])
    filled = {field.name for field in form.filled()}
    return ListQuery(
        form,
        not valid or not filled >= typed.keys() - PAGING.keys(),
        int(typed.get("limit", DEFAULT)),
        parse_cursor(typed["cursor"]) if "cursor" in typed else None,
        typed,
    )


def read_parameters(schemas: dict[str, Schema]) -> dict[str, str]:
    """Parameters of the request. Raises Problem (400) for one that is unknown, repeated or not as its schema says."""
    for name, values in request.args.lists():
        if name not in schemas:
            raise problem_with(name, _("没有这个参数，可用的有：%(names)s。", names=listed(schemas)))
        if len(values) != 1:
            raise problem_with(name, _("只能给出一次。"))
        if not matches_schema(schemas[name], values[0]):
            raise problem_with(name, _("不符合接口说明的格式或范围。"))
    return request.args.to_dict()


def matches_schema(schema: Schema, text: str) -> bool:
    """Whether a text matches a schema; supports the keywords that PARAMETERS uses."""
    if schema["type"] == "integer":
        return bool(re.fullmatch("[1-9][0-9]{0,4}", text)) and schema["minimum"] <= int(text) <= schema["maximum"]
    if "enum" in schema:
        return text in schema["enum"]
    if "pattern" in schema and not re.fullmatch(schema["pattern"].strip("^$"), text):
        return False
    if schema.get("format") == "date":
        return is_day(text)
    return schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))


def is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def problem_with(name: str, why: Any) -> Problem:
    return Problem(400, _("参数 %(name)s 有误：%(why)s", name=name, why=why))


def parse_cursor(cursor: str) -> tuple[int, date]:
    """(id, 申请日期) of the last row of a page; the first day of the calendar where the cursor has none."""
    key, _dash, day = cursor.partition("-")
    return int(key), date.fromordinal(min(max(int(day or 1), 1), date.max.toordinal()))


def format_cursor(key: int, day: date | None) -> str:
    return f"{key}-{day.toordinal()}" if day else str(key)


def openapi_parameters(schemas: dict[str, Schema]) -> list[dict[str, Any]]:
    """These parameters as the OpenAPI document describes them."""
    form, words = FeedQuery(), {"limit": _("每页条数"), "cursor": _("上一页的 next，取下一页时原样带回")}
    words |= {"number": _("申请单号，或其开头几位"), "changed_since": _("上一次的 next；第一次为 0")}
    words |= {"issued_since": _("签发日期起"), "issued_until": _("签发日期止")}
    words |= {
        "amount_since": _("进口数量（张）不少于，千张、万张不计"),
        "amount_until": _("进口数量（张）不超过，千张、万张不计"),
    }
    if schemas is PERIOD:
        words |= {"since": _("统计期间起"), "until": _("统计期间止"), "dimension": _("统计维度")}
    else:
        words |= {"since": _("申请日期起"), "until": _("申请日期止")}
    labels = {name: str(form[name].label.text) for name in FIELDS} | words
    return [
        {"name": name, "in": "query", "description": labels[name], "schema": schema} for name, schema in schemas.items()
    ]
