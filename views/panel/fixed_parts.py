"""Parts of a page that are the same for everybody, rendered once a process: the dialogs, the calendar."""

from typing import Any

from flask import current_app, render_template
from flask_babel import get_locale
from markupsafe import Markup


def fixed(template: str, **context: Any) -> Markup:
    """The template with this context, which must be hashable and say nothing of a person."""
    parts: dict[Any, Markup] = current_app.extensions.setdefault("fixed_parts", {})
    key = template, str(get_locale()), *context.items()
    if key not in parts:
        parts[key] = Markup(render_template(template, **context))
    return parts[key]
