"""The catalog of words, looked up once a request: Flask-Babel does so at every word, which took 40 % of a list."""

from functools import cached_property
from typing import Any

from flask import Flask, g
from flask_babel import Babel, Domain


class Catalog(Domain):
    """As Flask-Babel's own; the language cannot change within a request."""

    def get_translations(self) -> Any:
        found = g.get("translations") if g else None
        if found is None:
            found = super().get_translations()
            if g:
                g.translations = found
        return found


class Translator(Babel):
    """Flask-Babel with our catalog."""

    @cached_property
    def domain_instance(self) -> Domain:
        return Catalog(domain=self.domain)


def init_app(app: Flask) -> None:
    """Speak the language of the settings."""
    Translator(app, locale_selector=lambda: app.config["BABEL_DEFAULT_LOCALE"])
