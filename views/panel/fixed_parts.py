"""Parts of a page that are the same for everybody (dialogs, calendar), rendered once per process and language."""

from typing import Any

from flask import current_app, render_template
from flask_babel import get_locale
from markupsafe import Markup


def fixed(template: str, **context: Any) -> Markup:
    """The rendered template, cached by template, language and context; values must be hashable and not personal."""
    parts: dict[Any, Markup] = current_app.extensions.setdefault("fixed_parts", {})
    key = template, str(get_locale()), *context.items()
    if key not in parts:
        parts[key] = Markup(render_template(template, **context))
    return parts[key]
