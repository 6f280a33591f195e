"""What a query form asks, for people: in the log, and beside 常用查询."""

from typing import Any

from flask_babel import gettext as _
from wtforms import SelectField


def in_words(query: Any) -> str:
    """What a query form asks: 数据状态：已备案；申请日期起：2026-01-01."""
    return "；".join(f"{_label(query, field)}：{_asked(field)}" for field in query.filled())


def _label(query: Any, field: Any) -> str:
    since = query.other_end(field, "until", "since")
    if since is not None:
        return str(since.label.text) + _("止")
    return str(field.label.text) + (_("起") if query.other_end(field, "since", "until") is not None else "")


def _asked(field: Any) -> str:
    names = (
        {str(value): label for value, label, *_rest in field.iter_choices()} if isinstance(field, SelectField) else {}
    )
    return str(names.get(str(field.data), field.data))
