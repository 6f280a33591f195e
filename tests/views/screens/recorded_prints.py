"""Prints in the history of an application, and printing of many."""

from typing import Any

from werkzeug.test import TestResponse

from tests.browsing import Browser

SCREENS = {"publisher": "applications", "reviewer": "filings", "national": "register"}


def prints(record: dict[str, Any]) -> list[tuple[str, Any]]:
    """(who, which copy) of every print in the history."""
    return [
        (entry["actor_name"], entry["changes"]["copy"][1]) for entry in record["trail_entry"] if entry["act"] == "print"
    ]


def bound(browser: Browser, screen: str, keys: list[int]) -> TestResponse:
    """打印 of these rows: the POST leads to an address, which answers with the file."""
    answer = browser.post(f"/{screen}/print-all/", data={"pick": keys})
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, f"/{screen}/bundle/")
    return browser.get(answer.location)
