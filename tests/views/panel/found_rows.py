"""The rows that a list shows."""

from datetime import datetime

from models import clock
from tests.browsing import Browser
from tests.views.pages import numbers

NOW = datetime(2026, 11, 23, 10, tzinfo=clock.SHANGHAI)


def found(browser: Browser, screen: str = "applications", **asked: object) -> list[str]:
    """The 申请单号 that a query finds, in the order of the list."""
    return numbers(browser.get(f"/{screen}/", query_string=asked).text)
