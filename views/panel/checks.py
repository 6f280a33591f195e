"""Validation errors of forms: texts, and validators of our own."""

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
    """WTForms' messages, with our own text for a required field."""

    def gettext(self, string: str) -> str:
        return str(REQUIRED) if string == "This field is required." else str(super().gettext(string))


class HouseForm(BaseForm):
    """The base of every form of a screen."""

    class Meta(BaseForm.Meta):
        _translations = Sentences()


class AtMost:
    """Validator: at most `most` characters after trimming. Unlike Length it sets no maxlength, which cuts a paste."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, _form: Any, field: Any) -> None:
        if not field.process_errors:  # one sentence at a time
            with unreadable_as_error():
                check_length(field.data, self.most)


@contextmanager
def unreadable_as_error() -> Iterator[None]:
    """Turn an Unreadable inside the block into ValidationError, which WTForms expects from a validator."""
    try:
        yield
    except Unreadable as wrong:
        raise ValidationError(str(wrong)) from None
