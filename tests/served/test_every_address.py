"""Every GET route × every role through the real server: no 5xx, complete headers, bodies of the declared type."""

import re
from html import unescape
from itertools import islice

import pytest
from werkzeug.routing import Rule

from models.application import attachments
from tests.served.addresses import addresses
from tests.served.answers import check
from tests.served.rows import Rows, shared_rows
from tests.serving import Server
from tests.views.entrance.route_roles import EVERYBODY, PEOPLE, ROUTE_ROLES

LETTER = dict(zip(PEOPLE.values(), PEOPLE, strict=True)) | {"agent": "P"}
REFUSALS = 2  # addresses tried of a route that is shut
PLACES = re.compile(r'\b(?:href|src)="(/[^"]*)"')


def may_open(rule: Rule, username: str | None) -> bool:
    """Whether the table of routes opens this route to that person; only a publisher entrusts units."""
    if (rule.endpoint, username) == ("entrusting.create_view", "agent"):
        return False
    return ROUTE_ROLES[rule.endpoint] == EVERYBODY or LETTER.get(username or "", "-") in ROUTE_ROLES[rule.endpoint]


def reached(server: Server, username: str | None, routes: list[Rule], rows: Rows) -> dict[str, set[int]]:
    """Ask for every address of every GET route, and for what their pages link to; endpoint → statuses met."""
    client, met, linked, asked = server.client(username), dict[str, set[int]](), set[str](), set[str]()
    for rule in (rule for rule in routes if "GET" in (rule.methods or ())):
        for path in islice(addresses(rule, rows), None if may_open(rule, username) else REFUSALS):
            answer = client.get(path)
            asked.add(path)
            check(path, answer)
            met.setdefault(rule.endpoint, set()).add(answer.status)
            if answer.headers.get_content_type() == "text/html":
                linked |= {unescape(link) for link in PLACES.findall(answer.text)}
    linked = {link for link in linked - asked if not link.startswith("/language/")}  # all after it would be in English
    for path in {re.sub(r"\d+", "0", link.partition("&url=")[0]): link for link in linked}.values():
        check(path, client.get(path.partition("#")[0]))
    return met


@pytest.mark.parametrize("username", [*PEOPLE.values(), "agent", None])
def test_every_address_answers(served: Server, routes: list[Rule], username: str | None) -> None:
    """Issue 8, 1: every permitted role gets 200 on each database; no request causes a 5xx or an error in the log."""
    met = reached(served, username, routes, shared_rows(served))
    for rule in routes:
        statuses = met.get(rule.endpoint, set())
        if "GET" in (rule.methods or ()) and may_open(rule, username):
            good = {404} if rule.endpoint == "witnessed" else {200, 302, 303, 503}  # this server cosigns nothing
            assert statuses & good, (rule.endpoint, statuses)
        else:
            assert not statuses & {200, 206}, (rule.endpoint, statuses)


def test_a_download_keeps_the_name_that_people_gave_it(served: Server) -> None:
    """Quotation marks, semicolons, blanks, accents, Chinese: as uploaded, whether opened or downloaded."""
    rows, client = shared_rows(served), served.client("publisher")
    asked = [f"/applications/attachment/?id={key}{how}" for key in rows.files for how in ("", "&download=1")]
    names = {answer.filename for answer in map(client.get, asked) if answer.status == 200}
    assert {"扫描 “样品”; 1.png", "封面\u2019s é.jpg", "合同" * 40 + ".tif", "备案申请表.pdf"} <= names
    assert all(attachments.clean_name(name) == name for name in names)
    for kind in ("csv", "xlsx"):
        name = client.get(f"/applications/export/{kind}/").filename
        assert re.fullmatch(rf"申请-\d{{4}}-\d\d-\d\d\.{kind}", name)
