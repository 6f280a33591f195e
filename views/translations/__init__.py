"""中文 and English: the language chosen by the reader, and the catalogue of English translations.

Chinese is the source language and the default; the browser's preference is ignored. Flask-Babel looks up the
catalogue for every word, which took 40 % of the time of a list; here there are two, and a process reads the English
one once.
"""

from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, get_locale, gettext
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from models.language import CHINESE
from views.translations import stored

COOKIE = "filing_language"  # a cookie of its own, which also applies before sign-in
LANGUAGES = {"zh": CHINESE, "en": "en"}  # value of the cookie → locale
CATALOGUE = Path(__file__).parent / "en/LC_MESSAGES/messages.po"


class Catalogue(Domain):
    """The message catalogues of both languages, loaded once per process."""

    def get_translations(self) -> Any:
        return self.of(get_locale())  # None outside a request

    def of(self, locale: Locale | None) -> NullTranslations:
        return self.english if locale is not None and locale.language == "en" else self.chinese

    @cached_property
    def english(self) -> NullTranslations:
        """Compiled at first use (0.3 s), so that there is no compiled file that could be outdated."""
        compiled = BytesIO()
        with CATALOGUE.open("rb") as source:
            write_mo(compiled, read_po(source, locale="en"))
        compiled.seek(0)
        return Translations(compiled)

    @cached_property
    def chinese(self) -> NullTranslations:
        return NullTranslations()


class RequestCatalogue(Domain):
    """The catalogues for one request, whose locale is read from `state`: get_locale() looks up the request each time.

    `state`: the namespace where Flask-Babel keeps the locale of the request, also within force_locale().
    """

    def __init__(self, catalogue: Catalogue, state: Any) -> None:
        self.catalogue, self.state = catalogue, state

    def get_translations(self) -> Any:
        return self.catalogue.of(getattr(self.state, "babel_locale", None) or get_locale())


class Translator(Babel):
    """Flask-Babel with our catalogue."""

    @cached_property
    def catalogue(self) -> Catalogue:
        return Catalogue(domain=self.domain)

    @property
    def domain_instance(self) -> Domain:
        """The catalogue; within a request one that reads the locale from its state. Cached by Flask-Babel."""
        state = getattr(g, "_flask_babel", None)
        return self.catalogue if state is None else RequestCatalogue(self.catalogue, state)


def chosen() -> str:
    """The locale of this request, by its cookie; Chinese in commands and workers."""
    cookie = request.cookies.get(COOKIE, "") if has_request_context() else ""
    return LANGUAGES.get(cookie, CHINESE)


@pass_eval_context
def in_template(context: EvalContext, words: str, /, **values: Any) -> str:
    """`_` of templates: as Jinja's own, which looks up the function in the page, twice, for each word."""
    translated = gettext(words)
    return (Markup(translated) if context.autoescape else translated) % values


def init_app(app: Flask) -> None:
    """Register Flask-Babel with the locale of the cookie and our catalogue."""
    Translator(app, locale_selector=chosen)
    app.jinja_env.globals["_"] = in_template
    stored.init_app(app)
