"""Form field for an organisation: a text box for which combobox.js lists matches from the server."""

from functools import partial
from typing import Any

from flask_admin.contrib.sqla.ajax import QueryAjaxModelLoader
from flask_admin.helpers import get_url
from flask_admin.model.fields import AjaxSelectField
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import or_, select
from wtforms import ValidationError
from wtforms.widgets import html_params

from models.codes.search import pinyin_keys
from models.database import db
from models.people.accounts import Organisation
from models.text import without_format_characters
from views.panel.fields import number_of

MOST_BY_PINYIN = 200


class OrganisationLoader(QueryAjaxModelLoader):
    """Searches organisations by part of their name, credit code or pinyin; offset and limit are clamped."""

    def __init__(self, name: str) -> None:
        super().__init__(name, db, Organisation, fields=["name", "credit_code"])

    def get_list(self, query: str | None, offset: int | None = 0, limit: int = 10) -> Any:
        """Matches by id, also disabled ones, up to 20 from `offset`."""
        words = without_format_characters(query or "").strip().replace("%", "").replace("_", "")[:100]
        found = select(Organisation).where(
            or_(
                Organisation.name.icontains(words),
                Organisation.credit_code.contains(words.upper()),
                Organisation.id.in_(self._by_pinyin(words.casefold())),
            )
        )
        page = found.order_by(Organisation.id).offset(min(max(offset or 0, 0), 10_000)).limit(min(max(limit, 1), 20))
        return db.session.scalars(page).all()

    def _by_pinyin(self, words: str) -> list[int]:
        if len(words) < 2 or not words.isascii() or not words.isalpha():
            return []
        rows = db.session.execute(select(Organisation.id, Organisation.name))
        return [key for key, name in rows if words in pinyin_keys(name)][:MOST_BY_PINYIN]

    def get_one(self, pk: Any) -> Organisation | None:
        """The organisation with this id, «code-name», credit code or full name; None unless exactly one matches."""
        words = without_format_characters(str(pk)).strip()
        key = number_of(words)
        code = words.partition("-")[0].upper()
        named = (
            Organisation.id == key
            if key is not None
            else or_(Organisation.credit_code == code, Organisation.name == words)
        )
        with db.session.no_autoflush:  # the row of the form may be incomplete
            found = db.session.scalars(select(Organisation).where(named).limit(2)).all()
        return found[0] if len(found) == 1 else None


class OrganisationBox:
    """An <input> with the typed text, or the chosen organisation as «code-name»."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        typed = field.raw_data[0] if field.raw_data else None
        shown = typed if typed is not None and field.data is None else str(field.data or "")
        kwargs["data-url"] = get_url(".ajax_lookup", name=field.loader.name)
        return Markup("<input {}>").format(
            Markup(html_params(id=field.id, name=field.name, value=shown, autocomplete="off", **kwargs))
        )


class OrganisationField(AjaxSelectField):
    """A relation to an organisation; unknown text is an error, never None.

    A disabled organisation can stay in its row, but cannot be chosen.
    """

    widget = OrganisationBox()

    def pre_validate(self, form: Any) -> None:
        chosen = self.loader.get_one(self._formdata) if self._formdata else None
        if self._formdata and chosen is None:
            raise ValidationError(_("请从下拉列表中选择。"))
        if chosen and not chosen.active and chosen is not getattr(form._obj, self.short_name, None):
            raise ValidationError(_("该单位已停用，请选择其他单位，或先在“单位”中启用。"))


def searching(*names: str) -> dict[str, Any]:
    """form_overrides of relations to an organisation."""
    return {name: partial(OrganisationField, OrganisationLoader(name)) for name in names}
