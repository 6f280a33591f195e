"""Forms of the operator, filled in."""

from werkzeug.test import TestResponse

from tests.browsing import Browser
from tests.views.pages import form_of


def fill(browser: Browser, where: str, **fields: object) -> TestResponse:
    """Submit the form at this address with these fields filled in."""
    form = form_of(browser.get(where).text, "card-box")
    return browser.post(where, data=form | {name: str(value) for name, value in fields.items()})
