"""Exchange with other sites: a page that forwards the browser to another site, and POSTs from other servers."""

from collections.abc import Callable
from typing import Any

from flask import Flask, render_template


def exempt_from_token(app: Flask, view: Callable[[], Any]) -> Callable[[], Any]:
    """Exempt a view from CSRF protection because another server posts to it; the view must authenticate its caller."""
    exempted: Callable[[], Any] = app.extensions["csrf"].exempt(view)
    return exempted


def forwarding_page(address: str) -> str:
    """A page that forwards the browser to `address`, also of another site.

    In place of a redirect: form-action of our Content-Security-Policy forbids redirects to other sites after a form.
    """
    return render_template("entrance/onward.html", address=address)
