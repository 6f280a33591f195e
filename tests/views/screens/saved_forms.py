"""The form of an application, as it is opened and saved."""

from werkzeug.test import TestResponse

from tests.browsing import Browser
from tests.views.pages import form_of


def opened(browser: Browser, key: int) -> dict[str, str]:
    """The form of this application, as the browser would send it untouched."""
    return form_of(browser.get(f"/applications/edit/?id={key}").text)


def save(browser: Browser, key: int, form: dict[str, str]) -> TestResponse:
    """保存."""
    return browser.post(f"/applications/edit/?id={key}", data=form)


ROW = {"specification": "12 英寸黑胶唱片", "quantity": "500", "unit": "010"}


def row(number: int, **fields: str) -> dict[str, str]:
    """One new row of 载体信息, as the page sends it."""
    return {f"carriers-{number}-{name}": value for name, value in ({"id": ""} | ROW | fields).items()}
