"""Perform acts through the screens; which rows each role sees."""

from typing import Any

from werkzeug.test import TestResponse

from tests.browsing import Browser

WORDS = "材料需要核对。"


def act(browser: Browser, screen: str, action: str, key: int, **more: Any) -> TestResponse:
    """Post an act with an opinion; it redirects to the details."""
    body = {"id": key, "opinion": WORDS, "url": f"/{screen}/details/?id={key}"} | more
    return browser.post(f"/{screen}/{action}/", data=body, headers={"Origin": "http://localhost"})


SCREENS = {"publisher": ["applications"], "reviewer": ["review", "filings"], "national": ["register"]}


ISSUED = {"filed", "customs_received", "customs_failed", "revoked"}


def sees(role: str, status: str) -> bool:
    """Design 2.4: drafts are visible to their owner only, the nation sees issued ones."""
    return role == "publisher" or status in ISSUED or (role == "reviewer" and status != "draft")
