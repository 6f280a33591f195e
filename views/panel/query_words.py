"""A query form in words, for the log and for 常用查询."""

from typing import Any

from flask_babel import gettext as _
from wtforms import SelectField

from models.language import in_clauses
from views.panel.fields import AmountField


def in_words(query: Any) -> str:
    """The filled fields of a query form: 数据状态：已备案；申请日期起：2026-01-01."""
    return in_clauses(
        _("%(label)s：%(sentence)s", label=_label(query, field), sentence=_value_in_words(field))
        for field in query.filled()
        if not _of_period(query, field)
    )


def _of_period(query: Any, field: Any) -> bool:
    """Whether the field is the last day of a period, which the other field names already."""
    return query.other_end(field, "until", "since") is not None and field.raw_data == [""]


def _label(query: Any, field: Any) -> str:
    since = query.other_end(field, "until", "since")
    is_amount = isinstance(field, AmountField)
    if since is not None:
        label = since.label.text
        return _("%(label)s不超过", label=label) if is_amount else _("%(label)s止", label=label)
    label, until = str(field.label.text), query.other_end(field, "since", "until")
    if until is None or (getattr(field, "period", None) and _of_period(query, until)):
        return label
    return _("%(label)s不少于", label=label) if is_amount else _("%(label)s起", label=label)


def _value_in_words(field: Any) -> str:
    if getattr(field, "period", None):
        return str(field.period)
    names = (
        {str(value): label for value, label, *_rest in field.iter_choices()} if isinstance(field, SelectField) else {}
    )
    return str(names.get(str(field.data), field.data))
