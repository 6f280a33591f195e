"""A form that is saved."""

from werkzeug.test import TestResponse

from tests.browsing import Browser
from tests.views.pages import form_of


def save(browser: Browser, key: int, **typed: str) -> TestResponse:
    """保存 the form with these fields replaced."""
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    return browser.post(f"/applications/edit/?id={key}", data=form | typed)


def marked(browser: Browser, key: int, **typed: str) -> str:
    """The page after 保存 of a draft with unreadable text, which is stored as typed and marked."""
    answer = save(browser, key, **typed)
    assert answer.status_code == 302
    return browser.get(answer.location).text
