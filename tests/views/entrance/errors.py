"""Error pages: their headers, and the submitted text that they return."""

import re
from html import unescape

from werkzeug.test import TestResponse


def check_headers(answer: TestResponse) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


def lines(page: str) -> list[tuple[str, str]]:
    """The submitted text that an error page returns, as (label, text)."""
    return [(unescape(label), unescape(text)) for label, text in re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.S)]
