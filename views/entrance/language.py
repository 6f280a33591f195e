"""中文 / English: the switch in the bar of every page."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from models.language import html_lang, in_capitals, in_sentences, is_english
from views.entrance.security import referring_page
from views.translations import COOKIE, LANGUAGES

COOKIE_LIFETIME = timedelta(days=365)


def init_app(app: Flask) -> None:
    """Register the switch and the functions that page templates call."""
    app.add_url_rule("/language/<chosen>", "language", switch)
    app.jinja_env.globals.update(
        html_lang=html_lang, in_capitals=in_capitals, in_other_language=in_other_language, in_sentences=in_sentences
    )


def switch(chosen: str) -> ResponseReturnValue:
    """Store the chosen language in a cookie and redirect to the page that the browser comes from.

    The page is taken from Referer, so that no page has to repeat its own address, which may contain typed text.

    A GET, because it changes only a cookie of this browser: it also works from error pages, whose form tokens may have
    expired, and another site could at worst switch the language.
    """
    if chosen not in LANGUAGES:
        abort(404)
    response = current_app.make_response(redirect(_page_before(), 303))
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(COOKIE, chosen, COOKIE_LIFETIME, secure=secure, httponly=True, samesite="Lax")
    return response


def _page_before() -> str:
    """The referring page; `/` when its address does not answer a GET."""
    page = referring_page() or "/"
    try:
        current_app.create_url_adapter(request).match(urlsplit(page).path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return "/"
    return page


def in_other_language() -> tuple[str, str, str]:
    """(language tag, its own name, address that switches to it)."""
    tag, value, name = ("zh-CN", "zh", "中文") if is_english() else ("en", "en", "English")
    return tag, name, url_for("language", chosen=value)
