"""Form fields: selects of codes and words with search, days, exact numbers, normalized text."""

from collections.abc import Callable, Iterator
from typing import Any

from flask_admin.form import Select2Field
from flask_babel import gettext as _
from wtforms import DateField, DecimalField, HiddenField, SelectField, StringField, ValidationError
from wtforms.validators import Optional
from wtforms.widgets import TextArea

from models.codes import code_of, label_of, labelled, names_of, search_keys
from models.codes.search import pinyin_keys
from models.database import db
from models.text import (
    EARLIEST,
    LATEST,
    Bound,
    check_amount,
    check_day,
    clean_text,
    is_blank,
    parse_day,
    parse_decimal,
)
from models.vocabulary import Word
from models.workflow import Refused
from views.panel.checks import AtMost, unreadable_as_error
from views.panel.widgets import Select, TextInput

Reading = Callable[[str | None], str | None]


class PlainTextField(StringField):
    """One line of text: `read` turns it into what is stored (None: nothing visible), or raises Unreadable."""

    widget = TextInput()

    def __init__(
        self, label: Any = None, validators: Any = None, *, read: Reading = clean_text, most: int = 0, **kwargs: Any
    ) -> None:
        checks = [*(validators or ()), *([AtMost(most)] if most else ())]
        super().__init__(label, checks, **(kwargs | {"filters": [*kwargs.get("filters", ()), read]}))


class LongTextField(PlainTextField):
    """Text of many lines."""

    widget = TextArea()


def typed_in(values: list[str]) -> str | None:
    """The submitted text of a field, unchanged; None if it is blank or invisible."""
    return values[0] if values and not is_blank(values[0]) else None


def number_of(text: Any) -> int | None:
    """A row id or version from an address or form as a number; None unless it is ASCII digits within 31 bits."""
    digits = str(text or "")
    fits = digits.isascii() and digits.isdigit() and len(digits) < 11 and int(digits) < 2**31
    return int(digits) if fits else None


class Searched:
    """Mixin for a select field: combobox.js turns it into a combobox that also searches the `keys` of its options."""

    widget = Select()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"data-combobox": True} | kwargs.get("render_kw", {})
        super().__init__(*args, **kwargs)

    def keys(self, value: str, label: str) -> str:
        """Search keys of an option besides its label, separated by blanks."""
        return pinyin_keys(label)

    def iter_choices(self) -> Iterator[tuple[Any, Any, bool, dict[str, str]]]:
        """(value, label, selected, attributes) of every <option>."""
        for value, label, selected, *_rest in super().iter_choices():  # type: ignore[misc]
            yield value, label, selected, {"data-keys": self.keys(value, str(label))}


class QueryField(Searched, SelectField):
    """A select of the query form."""

    def pre_validate(self, form: Any) -> None:
        if self.data not in {value for value, _label, *_rest in self.choices}:
            raise ValidationError(_("没有这个选项，请从下拉列表中重新选择。"))


class ChoiceField(Searched, Select2Field):
    """A searchable select whose choices `options()` returns at each request; blank is allowed by default."""

    def __init__(self, label: Any = None, validators: Any = None, *, options: Callable[[], Any], **kwargs: Any) -> None:
        kwargs.setdefault("allow_blank", True)
        super().__init__(label, validators, choices=list(options()), **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("请从下拉列表中选择。")) from None

    def pre_validate(self, form: Any) -> None:
        if self.data is not None and self.data not in {self.coerce(value) for value, *_rest in self.choices}:
            raise ValidationError(_("请从下拉列表中选择。"))


class CodeField(ChoiceField):
    """A select over a code list, shown as 010-张; found by code, name, or a part of either."""

    def __init__(self, label: Any = None, validators: Any = None, *, codes: str, **kwargs: Any) -> None:
        self.codes = codes
        super().__init__(label, validators, options=self._options, **kwargs)

    def _options(self) -> list[tuple[str, str]]:
        return [(code, labelled(code, name)) for code, name in names_of(self.codes, db.session()).items()]

    def keys(self, value: str, label: str) -> str:
        return search_keys(self.codes, value, label)

    def process_data(self, value: Any) -> None:
        """A stored code that has ended since then stays selectable in its own row."""
        super().process_data(value)
        if value and value not in dict(self.choices):
            self.choices.append((value, label_of(self.codes, value, db.session())))


class WordField(ChoiceField):
    """A select over the words of a vocabulary, shown by their labels."""

    def __init__(self, label: Any = None, validators: Any = None, *, words: type[Word], **kwargs: Any) -> None:
        kwargs.setdefault("coerce", words)
        super().__init__(label, validators, options=lambda: [(word.value, word.label) for word in words], **kwargs)


class CodeText(StringField):
    """A code typed into a table cell with a shared <datalist>: 010-张, 010 and 张 are accepted alike.

    A stored code is kept even if the list does not offer it any more.
    """

    widget = TextInput()

    def __init__(self, label: Any = None, validators: Any = None, *, codes: str, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"list": f"codes-{codes}", "autocomplete": "off"} | kwargs.get("render_kw", {})
        super().__init__(label, validators, **kwargs)
        self.codes = codes

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return label_of(self.codes, self.data) if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = typed_in(valuelist)
        stored = self.object_data
        if self.data and stored and self.data in (stored, label_of(self.codes, stored)):
            self.data = stored  # which may have ended since then
        elif self.data:
            try:
                self.data = code_of(self.codes, self.data)
            except Refused as refused:
                raise ValueError(str(refused)) from None


class DayField(DateField):
    """A day, typed in any usual way (models.text.parse_day) and within bounds, or picked from a calendar."""

    widget = TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        earliest: Bound = EARLIEST,
        latest: Bound = LATEST,
        **kwargs: Any,
    ) -> None:
        kwargs["render_kw"] = {
            "data-role": "datepicker",
            "placeholder": "2026-01-31",
            "inputmode": "numeric",  # eight digits are enough
            "autocomplete": "off",
        }
        super().__init__(label, [*(validators or ()), Optional()], **kwargs)
        self.bounds = (earliest, latest)

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return  # a form without the field leaves the day as it is
        self.data, typed = None, typed_in(valuelist)
        self.raw_data = [typed or ""]
        if typed:
            day = parse_day(typed)
            check_day(day, *self.bounds)
            self.data = day


def within_limits(_form: Any, field: Any) -> None:
    """Validator: an amount within customs' limits."""
    if field.data is not None:
        with unreadable_as_error():
            check_amount(field.data)


class AmountField(DecimalField):
    """An exact number within customs' limits (models.text.check_amount)."""

    widget = TextInput()

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"inputmode": "decimal"} | kwargs.get("render_kw", {})
        super().__init__(label, [*(validators or ()), within_limits], places=None, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data, typed = None, typed_in(valuelist)
        self.raw_data = [typed or ""]
        if typed:
            self.data = parse_decimal(typed)


class VersionField(HiddenField):
    """Optimistic lock: the version, or last history entry, that the page was rendered from. Compared, never written."""

    @property
    def expected(self) -> int:
        return number_of(self.data) or 0

    def process_formdata(self, valuelist: list[str]) -> None:
        """A form without this field counts as version 0: the stored version is never used in its place."""
        self.data = valuelist[0] if valuelist else None

    def populate_obj(self, obj: Any, name: str) -> None:
        """No-op: SQLAlchemy counts versions."""
