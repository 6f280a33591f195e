"""What a form says of a value that it does not take."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_admin.babel import Translations
from flask_admin.form import BaseForm
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from models.text import Unreadable, check_length

REQUIRED = _l("必填。")


class Sentences(Translations):
    """What WTForms says, in our words where they are others than its translators'."""

    def gettext(self, string: str) -> str:
        return str(REQUIRED) if string == "This field is required." else str(super().gettext(string))


class HouseForm(BaseForm):
    """The base of every form of a screen."""

    class Meta(BaseForm.Meta):
        _translations = Sentences()


class AtMost:
    """At most so many characters after trimming. Unlike Length it renders no maxlength, which cuts a paste silently."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, _form: Any, field: Any) -> None:
        if not field.process_errors:  # one sentence at a time
            with unreadable_as_error():
                check_length(field.data, self.most)


@contextmanager
def unreadable_as_error() -> Iterator[None]:
    """Raises ValidationError, the one error that WTForms takes from a validator."""
    try:
        yield
    except Unreadable as wrong:
        raise ValidationError(str(wrong)) from None
