"""Form fields of the house: codes and words that search as you type, days, exact numbers, and clean text."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from flask_admin.form import Select2Field
from flask_babel import gettext as _
from wtforms import DateField, DecimalField, HiddenField, SelectField, StringField, ValidationError
from wtforms.validators import Optional
from wtforms.widgets import Select, TextInput

from models.codes import code_of, label_of, labelled, names_of, search_keys
from models.codes.search import pinyin_keys
from models.vocabulary import Word
from models.workflow import Refused

UNCARRIED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
MOST = Decimal(10) ** 13


def without_signs(text: str | None) -> str | None:
    """Trimmed, composed, without what no message can carry: control characters (but new line and tab), U+FFFE/F."""
    if text is None:
        return None
    return unicodedata.normalize("NFC", UNCARRIED.sub("", text)).strip() or None


def number_of(text: Any) -> int | None:
    """The row number or version that an address or a form names, if it can be one: digits, and within 31 bits."""
    digits = str(text or "")
    fits = digits.isascii() and digits.isdigit() and len(digits) < 11 and int(digits) < 2**31
    return int(digits) if fits else None


class Searched:
    """Mixed into a select field: combobox.js puts a combobox over it, in which `keys` find an option too."""

    widget = Select()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"data-combobox": True} | kwargs.get("render_kw", {})
        super().__init__(*args, **kwargs)

    def keys(self, value: str, label: str) -> str:
        """What the option is found by beside its label, parted by blanks."""
        return pinyin_keys(label)

    def iter_choices(self) -> Iterator[tuple[Any, Any, bool, dict[str, str]]]:
        """(value, label, selected, attributes) of every <option>."""
        for value, label, selected, *_rest in super().iter_choices():  # type: ignore[misc]
            yield value, label, selected, {"data-keys": self.keys(value, str(label))}


class QueryField(Searched, SelectField):
    """A select of the query form."""


class ChoiceField(Searched, Select2Field):
    """A select that searches as you type over choices asked for at each request, blank allowed."""

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
    """A code list, shown as 010-张: found by code, by name, or by part of either."""

    def __init__(self, label: Any = None, validators: Any = None, *, codes: str, **kwargs: Any) -> None:
        self.codes = codes
        super().__init__(label, validators, options=self._options, **kwargs)

    def _options(self) -> list[tuple[str, str]]:
        return [(code, labelled(code, name)) for code, name in names_of(self.codes).items()]

    def keys(self, value: str, label: str) -> str:
        return search_keys(self.codes, value, label)

    def process_data(self, value: Any) -> None:
        """A stored code that has since ended stays choosable where it stands."""
        super().process_data(value)
        if value and value not in dict(self.choices):
            self.choices.append((value, label_of(self.codes, value)))


class WordField(ChoiceField):
    """One word of the vocabulary, by its label."""

    def __init__(self, label: Any = None, validators: Any = None, *, words: type[Word], **kwargs: Any) -> None:
        kwargs.setdefault("coerce", words)
        super().__init__(label, validators, options=lambda: [(word.value, word.label) for word in words], **kwargs)


class CodeText(StringField):
    """A code typed in a table cell beside a shared <datalist>: 010-张, 010 and 张 all mean the same.

    What the row holds already stays, though the list may no longer offer it.
    """

    def __init__(self, label: Any = None, validators: Any = None, *, codes: str, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"list": f"codes-{codes}", "autocomplete": "off"} | kwargs.get("render_kw", {})
        super().__init__(label, [*(validators or ()), self._known], **kwargs)
        self.codes = codes

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return label_of(self.codes, self.data) if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = without_signs(valuelist[0]) if valuelist else None

    def _known(self, _form: Any, _field: Any) -> None:
        if self.data and self.data in (self.object_data, label_of(self.codes, self.object_data or "")):
            self.data = self.object_data
        elif self.data:
            try:
                self.data = code_of(self.codes, self.data)
            except Refused as refused:
                raise ValidationError(str(refused)) from None


class DayField(DateField):
    """A day, typed as 2026-11-23 or picked from a Chinese calendar (a native one speaks the browser's language)."""

    widget = TextInput()

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"data-role": "datepicker", "placeholder": "2026-01-31", "autocomplete": "off"}
        super().__init__(label, [*(validators or ()), Optional()], **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("请按 2026-01-31 的格式填写日期。")) from None


class AmountField(DecimalField):
    """An exact number above zero, at most 13 digits before the point and 5 after it (customs' limits)."""

    widget = TextInput()

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"inputmode": "decimal"} | kwargs.get("render_kw", {})
        super().__init__(label, [*(validators or ()), self._within], places=None, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        self.raw_data = [value.strip() for value in valuelist]
        try:
            super().process_formdata([value.replace(",", "") for value in self.raw_data if value])
        except ValueError:
            raise ValueError(_("请填写数字。")) from None

    def _within(self, _form: Any, _field: Any) -> None:
        if self.data is None:
            return
        if not self.data.is_finite() or not 0 < self.data < MOST:
            raise ValidationError(_("请填写大于 0 的数，整数部分不超过 13 位。"))
        if self.data != round(self.data, 5):
            raise ValidationError(_("最多保留 5 位小数。"))


class SeenVersion(HiddenField):
    """The version a person is looking at: compared when saving, never written to the row."""

    @property
    def seen(self) -> int:
        return number_of(self.data) or 0

    def process_formdata(self, valuelist: list[str]) -> None:
        """A form that does not say what it saw has seen nothing: the stored version never stands in for it."""
        self.data = valuelist[0] if valuelist else None

    def populate_obj(self, obj: Any, name: str) -> None:
        """A version is counted by the database session alone."""
