"""Files as a browser uploads and removes them."""

import io
from typing import Any

from werkzeug.test import TestResponse

from tests.browsing import Browser

XHR = {"X-Requested-With": "XMLHttpRequest"}


def upload(browser: Browser, key: Any, content: bytes, name: str = "合同.pdf", **more: Any) -> TestResponse:
    """Upload one file, as the page does when it is chosen."""
    body = {"id": key, "kind": "contract", "file": (io.BytesIO(content), name)} | more
    return browser.post("/applications/upload/", data=body, headers=XHR)
