"""HTML attributes that are the same for all inputs of a table column, computed once per page."""

from typing import Any

from markupsafe import Markup
from wtforms import Form

from views.panel.widgets import TextInput, attributes, flags_of


def shared_attributes(form: Form) -> dict[str, Markup]:
    """Field → attributes of its inputs in every row, without id, name, value and errors.

    `form`: any row of the table; every field except `id` is a text <input>.
    """
    return {field.short_name: _attributes(field) for field in form if field.short_name != "id"}


def _attributes(field: Any) -> Markup:
    assert isinstance(field.widget, TextInput), field.short_name
    look = {"type": "text", "class": "form-control", "aria-label": field.label.text}
    return attributes(**flags_of(field.widget, field), **look, **(field.render_kw or {}))
