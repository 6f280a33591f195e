"""Inputs and selects with the HTML of WTForms' own, in a fifth of the time: half of a list's page went there."""

from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape
from wtforms import widgets

OPTIONS = 10_000  # of all lists of codes; each is drawn once a process


def attributes(**given: Any) -> Markup:
    """Attributes of an element, sorted by name: True is an attribute without a value, False is none."""
    drawn = []
    for name, value in sorted(given.items()):
        name = name.rstrip("_")
        if name.startswith(("data_", "aria_")):
            name = name.replace("_", "-")
        if value is True:
            drawn.append(name)
        elif value is not False:
            quoted = str(escape(value)).replace('"', "&quot;")  # Markup may hold one as it is
            drawn.append(f'{name}="{quoted}"')
    return Markup(" ".join(drawn))


class TextInput(widgets.TextInput):
    """A text box."""

    html_params = staticmethod(attributes)


@lru_cache(OPTIONS)
def option(value: str, label: str, keys: str, selected: bool) -> str:
    """An <option>; `keys`: what else it is found by."""
    marks = attributes(value=value, data_keys=keys, selected=selected)
    return f"<option {marks}>{escape(label)}</option>"


class Select(widgets.Select):
    """The <select> of a field whose choices are (value, label, selected, {"data-keys": …})."""

    def __call__(self, field: Any, **given: Any) -> Markup:
        given |= {name: getattr(field.flags, name) for name in self.validation_attrs if name in dir(field.flags)}
        drawn = [
            option(str(value), str(label) or str(value), more["data-keys"], bool(selected))
            for value, label, selected, more in field.iter_choices()
        ]
        return Markup(f"<select {attributes(id=field.id, name=field.name, **given)}>{''.join(drawn)}</select>")
