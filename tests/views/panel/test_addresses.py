"""Every address gets a page and never a server error.

Each field of a query form alone meets every fifth nasty value on PostgreSQL, which accepts less than SQLite; with
`NASTY=all` every one, on both.
"""

import os
import re
from typing import Any

import pytest
from werkzeug.routing import Rule

from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication
from tests.views.entrance.route_roles import EVERYBODY, PEOPLE, ROUTE_ROLES, address
from tests.views.pages import numbers

NASTY = [
    "\0", "", "a\0b", "abc", str(10**21), "-1", "1,2", "%", "\\", "9" * 5000, "长" * 3000, "²", "9999-12-31",
    "0001-01-01", "\ufffe𠮷\r\nX: y'; --",
]  # fmt: skip
PAGING = ("page", "page_size", "sort", "desc", "to", "search", "flt0_0", "flt1_title_equals", "modal", "list_form_pk")
BUILDING = ("endpoint", "_method", "self", "_external", "_anchor", "_scheme", "values", "url", "next", "export_type")
OTHERS = ("id", "id[]", "check", "download", "query", "offset", "limit", "number", "action")
FIELDS = re.compile(r'<input[^>]*class="form-control"[^>]*name="(\w+)"')
SELECTS = ("status", "province", "role")
TURNS = 1 if os.environ.get("NASTY") == "all" else 5
DATABASES = ["sqlite", "postgresql"] if TURNS == 1 else ["postgresql"]
SLOW = {"picture", "sound"}  # they draw and speak, and read no parameter but `new`


def survives(browser: Browser, where: str, **asked: Any) -> None:
    """The answer is one of those that an address can have; an exception would come through to the test."""
    answer = browser.get(where, query_string=asked)
    assert answer.status_code in (200, 302, 303, 308, 400, 404), (where, asked, answer.status_code)


@pytest.mark.slow
@pytest.mark.parametrize("app", DATABASES, indirect=True)
@pytest.mark.parametrize("letter", [*PEOPLE, "-"])
def test_no_query_parameter_causes_a_server_error(
    letter: str, client_as: ClientAs, make_application: MakeApplication, routes: list[Rule]
) -> None:
    """Every GET route × every parameter that anything reads × nasty values; the questions of a list one by one."""
    key, browser = make_application(status="customs_failed"), client_as(PEOPLE.get(letter))
    for rule in routes:
        may = ROUTE_ROLES[rule.endpoint]
        if "GET" not in (rule.methods or ()) or not (letter in may or (letter == "-" and may == EVERYBODY)):
            continue
        if rule.endpoint in SLOW:
            continue
        where = address(rule, key).partition("?")[0]
        asking = rule.endpoint.endswith(("index_view", "ajax_lookup", "export", "show"))
        fields = FIELDS.findall(browser.get(where).text) if rule.endpoint.endswith("index_view") else ()
        for turn, value in enumerate(NASTY if asking else NASTY[:4]):
            survives(browser, where, **dict.fromkeys((*PAGING, *BUILDING, *OTHERS, *SELECTS), value))
            survives(browser, where, id=key, name="organisation", **dict.fromkeys((*BUILDING, "query"), value))
            for field in fields[turn % TURNS :: TURNS]:
                survives(browser, where, **{field: value}, page=value, sort=value, desc=value)


def test_parameters_of_url_for_do_not_change_links(client_as: ClientAs, make_application: MakeApplication) -> None:
    """Flask-Admin feeds every unknown parameter to url_for: 500 for some, other links for others."""
    key, browser = make_application(), client_as("publisher")
    plain = browser.get("/applications/").text
    asked = {
        "_external": "1",
        "_anchor": "x",
        "_scheme": "javascript",
        "_method": "POST",
        "endpoint": "login",
        "self": "1",
    }
    page = browser.get("/applications/", query_string=asked).text
    assert numbers(page) == numbers(plain)
    links = [link for link in re.findall(r'(?:href|action|formaction)="([^"]*)"', page) if f"id={key}" not in link]
    assert links == [
        link for link in re.findall(r'(?:href|action|formaction)="([^"]*)"', plain) if f"id={key}" not in link
    ]


@pytest.mark.parametrize(
    "path",
    ["/applications/?title=%ff%fe", "/applications/?%00=%00", "/applications/details/?id=%31%00", "/verify/%00",
     "/verify/Z%E6%B1%9F%F0%A0%AE%B7", "/applications/export/%00/", "/applications/%2e%2e/review/",
     "/applications/?" + "&" * 3000, "/applications/?" + "title=x&" * 999, "/login?next=%0d%0aSet-Cookie:a=b",
     "/applications/?id=1&id=2&page=1&page=2"],
)  # fmt: skip
def test_an_address_with_invalid_utf8_causes_no_server_error(client_as: ClientAs, path: str) -> None:
    answer = client_as("publisher").get(path)
    assert answer.status_code in (200, 302, 400, 404)
    assert answer.headers.get("Set-Cookie", "a").startswith(("a", "filing="))


def test_a_repeated_id_parameter_opens_one_row(client_as: ClientAs, make_application: MakeApplication) -> None:
    """`id=1,2` and `id=1&id=2` made a failure of Flask-Admin's own pages."""
    own, foreign = make_application(), make_application(by="publisher2")
    browser = client_as("publisher")
    for query in (f"id={own}&id={foreign}", f"id={foreign}&id={own}", f"id={own},{foreign}"):
        for place in ("details", "edit"):
            answer = browser.get(f"/applications/{place}/?{query}", follow_redirects=True)
            assert answer.status_code in (200, 404)
            assert f"{foreign:08d}" not in answer.text
