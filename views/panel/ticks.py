"""Form field with a checkbox for each word of a short list."""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup
from wtforms import SelectMultipleField, ValidationError
from wtforms.widgets import CheckboxInput, html_params

from models.vocabulary import Word
from views.panel.checks import REQUIRED


class TicksField(SelectMultipleField):
    """A set of words; `some`: at least one is required."""

    option_widget = CheckboxInput()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        words: Iterable[Word] = (),
        some: bool = False,
        **kwargs: Any,
    ) -> None:
        self.some, self.known = some, {word.value: word for word in words}
        choices = [(word.value, word.label) for word in self.known.values()]
        super().__init__(label, validators, choices=choices, coerce=self.word, **kwargs)

    def word(self, typed: str) -> Word:
        """The word of a submitted value. Raises ValueError, as WTForms expects, for any other value."""
        if typed not in self.known:
            raise ValueError(typed)
        return self.known[typed]

    def __call__(self, **kwargs: Any) -> Any:
        """The checkboxes as an ARIA group named by the label."""
        ticks = Markup("").join(Markup("<span>{} {}</span>").format(tick(), tick.label()) for tick in self)
        named = {"id": self.id, "class": "ticks", "role": "group", "tabindex": "-1", "aria-label": self.label.text}
        if "aria-describedby" in kwargs:
            named["aria-describedby"] = kwargs["aria-describedby"]
        return Markup("<div {}>{}</div>").format(Markup(html_params(**named)), ticks)

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if self.some and not self.data:
            raise ValidationError(str(REQUIRED))
