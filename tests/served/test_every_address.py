"""Every GET route × every role through the real server: no 5xx, headers that survive, bodies that are what they say."""

import csv
import io
import json
import re
from html import unescape
from itertools import islice
from typing import Any

import pytest
from lxml import etree
from openpyxl import load_workbook
from werkzeug.routing import Rule

from models import attachments
from tests.served.addresses import addresses
from tests.served.rows import Rows, furnished
from tests.serving import Answer, Server
from tests.views.test_doors import DOORS, EVERYBODY, PEOPLE

EXPECTED = {200, 302, 303, 308, 400, 403, 404, 409, 416}
LETTER = dict(zip(PEOPLE.values(), PEOPLE, strict=True)) | {"agent": "P"}
REFUSALS = 2  # addresses tried of a route that is shut
PLACES = re.compile(r'\b(?:href|src)="(/[^"]*)"')
ILL = {"ok", "set_aside", "rejected", "overdue"}  # of an exchange that is not well /healthz answers 503 on purpose


def check_excel(answer: Answer) -> None:
    """Excel opens it, and finds a table with headings."""
    book = load_workbook(io.BytesIO(answer.body))
    assert all(sheet.cell(1, 1).value for sheet in book.worksheets)


def check_csv(answer: Answer) -> None:
    """Excel reads it as UTF-8, and every line has as many cells as the first."""
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
    "audio/wav": begins(b"RIFF"),
    "text/xml": lambda answer: etree.fromstring(answer.body),
    "application/json": lambda answer: json.loads(answer.body),
    "text/css": lambda answer: answer.body.decode(),
    "text/javascript": lambda answer: answer.body.decode(),
    "text/plain": lambda answer: answer.body.decode(),
}


def check(path: str, answer: Answer) -> None:
    """An answer as every reader of HTTP may expect it."""
    if path == "/healthz":
        assert set(answer.text.split()) <= ILL
        return
    assert answer.status in EXPECTED, (answer.status, path)
    assert not answer.headers.defects
    assert all(value.isascii() and value.isprintable() for value in answer.headers.values()), answer.headers.items()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    disposition = answer.headers["Content-Disposition"]
    if disposition and not answer.filename.isascii():
        assert "filename*=UTF-8''" in disposition
        assert re.search(r"\bfilename=", disposition), "no name for who does not know filename*"
    if answer.status == 200 and answer.body:
        CONTENT[answer.headers.get_content_type()](answer)
    elif answer.status >= 400:
        check_page(answer)


def may_open(rule: Rule, username: str | None) -> bool:
    """Whether the table of doors opens this route to that person."""
    return DOORS[rule.endpoint] == EVERYBODY or LETTER.get(username or "", "-") in DOORS[rule.endpoint]


def reached(server: Server, username: str | None, routes: list[Rule], rows: Rows) -> dict[str, set[int]]:
    """Ask for every address of every GET route, and for what their pages link to; endpoint → statuses met."""
    client, met, linked = server.client(username), dict[str, set[int]](), set[str]()
    for rule in (rule for rule in routes if "GET" in (rule.methods or ())):
        for path in islice(addresses(rule, rows), None if may_open(rule, username) else REFUSALS):
            answer = client.get(path)
            check(path, answer)
            met.setdefault(rule.endpoint, set()).add(answer.status)
            if answer.headers.get_content_type() == "text/html":
                linked |= {unescape(link) for link in PLACES.findall(answer.text)}
    for path in {re.sub(r"\d+", "0", link.partition("&url=")[0]): link for link in linked}.values():
        check(path, client.get(path.partition("#")[0]))
    return met


@pytest.mark.parametrize("username", [*PEOPLE.values(), "agent", None])
def test_every_address_answers(served: Server, routes: list[Rule], username: str | None) -> None:
    """Issue 8, 1: whoever may open a route gets 200 from it, on each database; nobody meets 5xx or a log entry."""
    met = reached(served, username, routes, furnished(served))
    for rule in routes:
        statuses = met.get(rule.endpoint, set())
        if "GET" in (rule.methods or ()) and may_open(rule, username):
            assert statuses & {200, 302, 503}, (rule.endpoint, statuses)
        else:
            assert not statuses & {200, 206}, (rule.endpoint, statuses)


def test_a_download_keeps_the_name_that_people_gave_it(served: Server) -> None:
    """Quotation marks, semicolons, blanks, accents, Chinese: as uploaded, whether shown or kept."""
    rows, client = furnished(served), served.client("publisher")
    asked = [f"/applications/attachment/?id={key}{how}" for key in rows.files for how in ("", "&download=1")]
    names = {answer.filename for answer in map(client.get, asked) if answer.status == 200}
    assert {"扫描 “样品”; 1.png", "封面\u2019s é.jpg", "合同" * 40 + ".tif", "备案申请表.pdf"} <= names
    assert all(attachments.clean_name(name) == name for name in names)
    for kind in ("csv", "xlsx"):
        name = client.get(f"/applications/export/{kind}/").filename
        assert re.fullmatch(rf"查询-\d{{8}}-\d{{6}}\.{kind}", name)
