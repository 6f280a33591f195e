"""Checks of every response for every role: complete, parseable, with headers that survive the server."""

import csv
import io
import json
import re
from base64 import b64decode
from typing import Any

from lxml import etree
from openpyxl import load_workbook

from tests.serving import Answer

# /healthz answers 503 with these words, because the rows of shared_rows() include failed messages.
ILL = {"ok", "papers", "set_aside", "rejected", "overdue", "deliverer", "unanswered"}


def check_excel(answer: Answer) -> None:
    """The answer is a workbook whose sheets have headings."""
    book = load_workbook(io.BytesIO(answer.body))
    assert all(sheet.cell(1, 1).value for sheet in book.worksheets)


def check_csv(answer: Answer) -> None:
    """The answer is UTF-8 with a byte order mark, and every line has as many cells as the first."""
    lines = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
    assert answer.body.startswith(b"\xef\xbb\xbf")
    assert {len(line) for line in lines} == {len(lines[0])}


def check_page(answer: Answer) -> None:
    """A whole page, in Chinese."""
    page = answer.text.strip()
    assert page.endswith("</html>"), page[-200:]
    assert re.search(r"<title>[^<]*[\u4e00-\u9fff]", page)


def begins(*signs: bytes) -> Any:
    def check(answer: Answer) -> None:
        assert answer.body.startswith(signs)

    return check


CONTENT: dict[str, Any] = {
    "text/html": check_page,
    "text/csv": check_csv,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": check_excel,
    "application/pdf": begins(b"%PDF-"),
    "image/png": begins(b"\x89PNG"),
    "image/jpeg": begins(b"\xff\xd8"),
    "image/tiff": begins(b"II*\0", b"MM\0*"),
    "image/svg+xml": lambda answer: etree.fromstring(answer.body),
    "image/webp": begins(b"RIFF"),
    "audio/wav": begins(b"RIFF"),
    "application/vc+jwt": lambda answer: [b64decode(part + "==", b"-_") for part in answer.text.split(".")],
    "text/xml": lambda answer: etree.fromstring(answer.body),
    "application/json": lambda answer: json.loads(answer.body),
    "application/problem+json": lambda answer: json.loads(answer.body)["detail"],
    "text/css": lambda answer: answer.body.decode(),
    "text/javascript": lambda answer: answer.body.decode(),
    "text/calendar": begins(b"BEGIN:VCALENDAR\r\n"),
    "text/plain": lambda answer: answer.body.decode(),
}


def check(path: str, answer: Answer) -> None:
    """Check status, headers and body of an answer against what its media type and status promise."""
    if path == "/healthz":
        assert set(answer.text.split()) <= ILL
        return
    assert answer.status < 500, (answer.status, path)
    assert not answer.headers.defects
    assert all(value.isascii() and value.isprintable() for value in answer.headers.values()), answer.headers.items()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    disposition = answer.headers["Content-Disposition"]
    if disposition and not answer.filename.isascii():
        assert "filename*=UTF-8''" in disposition
        assert re.search(r"\bfilename=", disposition), "no name for who does not know filename*"
    if (answer.status == 200 and answer.body) or answer.status >= 400:
        CONTENT[answer.headers.get_content_type()](answer)
