"""Permission matrix: every route × every role × own and foreign rows, against a table written by hand."""

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.browsing import Browser, ClientAs
from tests.cast import add_saved_query, announced
from tests.conftest import MakeApplication
from tests.views.entrance.route_roles import EVERYBODY, MORE_SCREENS, PEOPLE, ROUTE_ROLES, SCREENS, WITH_KEY, address

OWNERS = dict(zip((*SCREENS.split()[:10], *MORE_SCREENS.split()[:3], "entrusting"), "PRRRNOOOOOOROP", strict=True)) | {
    "messages": "PRNO",
    "queries": "PRNO",
    "handbook": "O",
    "condition": "O",
    "blanks": "O",
    "portal": "O",
    "statistics": "RN",
    "signins": "NO",
    "operations": "NO",
    "prints": "NO",
    "acts": "N",
    "online": "O",
    "apikeys": "PRN",
}
PASSED = {
    200,
    202,
    204,
    302,
    303,
    400,
    409,
    422,
}  # let in; whether what was asked is then done is another matter


def request_route(browser: Browser, rule: Rule, key: int) -> list[TestResponse]:
    """The status of the route for each of its methods."""
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    where, body = address(rule, key), {"id": key, "attachment": key}
    return [browser.open(where, method=method, data=body if method == "POST" else None) for method in methods]


def test_every_route_is_in_the_table(routes: list[Rule]) -> None:
    """AD1: a new route fails this test until its roles are in the table."""
    found = {rule.endpoint for rule in routes}
    for endpoint in sorted(found - set(ROUTE_ROLES)):
        pytest.fail(f"{endpoint} is a new route: write into the table of {__name__} who may pass it, and who not.")
    assert set(ROUTE_ROLES) - found == set(), "the table speaks of routes that are gone"


@pytest.mark.slow
@pytest.mark.parametrize("letter", PEOPLE)
def test_every_route_is_open_only_to_the_roles_of_the_table(
    letter: str, app: Flask, client_as: ClientAs, make_application: MakeApplication, routes: list[Rule]
) -> None:
    """AC3, AC4: role × endpoint, with a row that the role may see; 404 and not 403 where a screen of one's own ends."""
    key, browser = make_application(status="customs_failed"), client_as(PEOPLE[letter])
    announced(app)  # which the operator withdraws
    announcement, messages = announced(app)
    own = {"messages.announcement": announcement, "messages.details_view": messages[PEOPLE[letter]]}
    own |= dict.fromkeys(("queries.edit_view", "queries.ask"), add_saved_query(app, PEOPLE[letter]))
    for rule in routes:
        may = ROUTE_ROLES[rule.endpoint]
        if may == EVERYBODY:
            continue
        for answer in request_route(browser, rule, own.get(rule.endpoint, 1 if letter == "O" else key)):
            what = (letter, answer.request.method, rule.endpoint, answer.status_code)
            if may == WITH_KEY:
                assert answer.status_code == 401, what
            elif letter in may:
                assert answer.status_code in PASSED, what
            else:
                assert answer.status_code == (404 if letter in OWNERS[rule.endpoint.split(".")[0]] else 403), what


@pytest.mark.slow
def test_anonymous_requests_are_redirected_or_refused(client_as: ClientAs, routes: list[Rule]) -> None:
    """AC3: GET leads to the login, POST is refused."""
    browser = client_as(None)
    for rule in routes:
        for answer in request_route(browser, rule, 1):
            what = (answer.request.method, rule.endpoint, answer.status_code)
            if ROUTE_ROLES[rule.endpoint] == EVERYBODY:
                # 404: without its secret, and where nothing is cosigned.
                let_in = answer.status_code in PASSED or rule.endpoint in ("feed", "witnessed")
                assert let_in or answer.request.method == "POST", what
            elif ROUTE_ROLES[rule.endpoint] == WITH_KEY:
                assert answer.status_code == 401, what
            elif answer.request.method == "GET":
                assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/login"), what
            else:
                assert answer.status_code == 401, what
