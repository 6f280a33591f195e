"""Who may pass which door: every route × every role × own and strange rows, against a table written by hand."""

import io
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models import access
from models.database import GuardedSession
from models.vocabulary import Action
from tests.conftest import Browser, Making, Recording
from tests.views.ledger import ledger
from tests.views.pages import form_of, numbers

As = Callable[[str | None], Browser]

# P publisher and agent, R province, N nation, O operator.
# «-»: shut even to those whose screen it is; «.»: no such door.
SCREENS = """
              applications  review  filings  exchange  register  accounts  organisations entrustments districts  traffic
index_view    P             R       R        R         N         O         O              O             O          O
create_view   P             -       -        -         -         O         O              O             -          -
edit_view     P             -       -        -         -         O         O              O             -          -
details_view  P             R       R        R         N         -         -              -             -          -
export        P             -       R        -         N         -         -              -             -          -
ajax_lookup   -             -       -        -         -         O         -              O             -          -
perform       P             R       R        .         N         .         .              .             .          .
attachment    P             R       R        .         N         .         .              .             .          .
certificate   P             R       R        .         N         .         .              .             .          .
prepare       P             R       R        .         N         .         .              .             .          .
print_all     P             R       R        .         N         .         .              .             .          .
bundle        P             R       R        .         N         .         .              .             .          .
copy          P             .       .        .         .         .         .              .             .          .
upload        P             .       .        .         .         .         .              .             .          .
remove        P             .       .        .         .         .         .              .             .          .
reset         .             .       .        .         .         O         .              .             .          .
release       .             .       .        R         .         .         .              .             .          .
ask           .             .       .        R         .         .         .              .             .          .
set_aside     .             .       .        R         .         .         .              .             .          .
settle_accepted .           .       .        R         .         .         .              .             .          .
settle_rejected .           .       .        R         .         .         .              .             .          .
resend        .             .       .        R         .         .         .              .             .          .
letter        .             .       .        R         .         .         .              .             .          .
preview       .             .       .        .         .         .         .              .             O          .
replace       .             .       .        .         .         .         .              .             O          .
"""
EVERYBODY = "anybody"
OTHERS = dict.fromkeys(("admin.index", "password"), "PRNO") | dict.fromkeys(
    ("login", "logout", "picture", "sound", "health", "icon", "verify.show", "verify.upload", "static", "admin.static"),
    EVERYBODY,
)
OWNERS = dict(zip(SCREENS.split()[:10], "PRRRNOOOOO", strict=True))
PEOPLE = {"P": "publisher", "R": "reviewer", "N": "national", "O": "operator"}
FILLED = {"action": "print", "export_type": "csv", "number": "Z", "filename": "panel.css"}
LOOKED_UP = {"accounts.ajax_lookup": "organisation", "entrustments.ajax_lookup": "publisher"}
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
NONSENSE = ("", "0", "-1", "99999", "abc", "1,2", "1 OR 1=1", "９", "1.0", "9" * 21, "9" * 5000)
ACTS = [action.value for action in Action if action not in (Action.EDIT, Action.COPY)]  # those of `perform`


def table() -> dict[str, str]:
    """Endpoint → the letters of those who may pass."""
    head, *lines = SCREENS.strip().splitlines()
    cells = {
        f"{screen}.{view}": letter
        for view, *letters in map(str.split, lines)
        for screen, letter in zip(head.split(), letters, strict=True)
    }
    return {endpoint: letter.strip("-") for endpoint, letter in cells.items() if letter != "."} | OTHERS


DOORS = table()


def address(rule: Rule, key: int, **more: str) -> str:
    """The route as an address: of this row, if it is about rows."""
    values = {name: (FILLED | more)[name] for name in rule.arguments}
    if rule.endpoint == "admin.static":
        values["filename"] = "vendor/jquery.min.js"
    built = rule.build(values)
    assert built is not None
    return f"{built[1]}?id={key}&name={LOOKED_UP.get(rule.endpoint, '')}"


def knock(browser: Browser, rule: Rule, key: int) -> list[TestResponse]:
    """What the route answers to each of its methods."""
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    where, body = address(rule, key), {"id": key, "attachment": key}
    return [browser.open(where, method=method, data=body if method == "POST" else None) for method in methods]


def test_every_route_has_its_line_in_the_table(routes: list[Rule]) -> None:
    """AD1: a new route is shut in this test's eyes until somebody writes down who may pass."""
    found = {rule.endpoint for rule in routes}
    for endpoint in sorted(found - set(DOORS)):
        pytest.fail(f"{endpoint} is a new route: write into the table of {__name__} who may pass it, and who not.")
    assert set(DOORS) - found == set(), "the table speaks of routes that are gone"


@pytest.mark.parametrize("letter", PEOPLE)
def test_every_door_opens_to_those_of_the_table_alone(
    letter: str, as_: As, make_application: Making, routes: list[Rule]
) -> None:
    """AC3, AC4: role × endpoint, with a row that the role may see; 404 and not 403 where a screen of one's own ends."""
    key, browser = make_application(status="customs_failed"), as_(PEOPLE[letter])
    for rule in routes:
        may = DOORS[rule.endpoint]
        if may == EVERYBODY:
            continue
        for answer in knock(browser, rule, 1 if letter == "O" else key):
            what = (letter, answer.request.method, rule.endpoint, answer.status_code)
            if letter in may:
                assert answer.status_code in PASSED, what
            else:
                assert answer.status_code == (404 if OWNERS[rule.endpoint.split(".")[0]] == letter else 403), what


def test_a_stranger_is_shown_the_way_in_and_nothing_else(as_: As, routes: list[Rule]) -> None:
    """AC3: nobody signed in reads no page, and no POST of theirs is looked at."""
    browser = as_(None)
    for rule in routes:
        for answer in knock(browser, rule, 1):
            what = (answer.request.method, rule.endpoint, answer.status_code)
            if DOORS[rule.endpoint] == EVERYBODY:
                assert answer.status_code in PASSED or answer.request.method == "POST", what
            elif answer.request.method == "GET":
                assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/login"), what
            else:
                assert answer.status_code == 401, what


def files_of(kept: dict[str, list[dict[str, int]]]) -> list[int]:
    """The numbers of an application's attachments, as `on_record` tells them."""
    return [file["id"] for file in kept["attachment"]]


def attacks(browser: Browser, screen: str, key: int, files: list[int]) -> Iterator[TestResponse]:
    """Everything that can be tried on a row of another, through one screen."""
    get, post = browser.get, browser.post
    yield get(f"/{screen}/details/?id={key}")
    yield from (get(f"/{screen}/attachment/?id={file}") for file in files)
    yield get(f"/{screen}/certificate/?id={key}")
    yield get(f"/{screen}/details/", query_string={"id": f" {key}"})
    yield from (post(f"/{screen}/{act}/", data={"id": key, "opinion": "理由"}) for act in ACTS)
    yield post(f"/{screen}/prepare/", data={"id": key})
    yield post(f"/{screen}/print-all/", data={"pick": key})
    if screen != "applications":
        return
    form = form_of(get("/applications/new/").text) | {"title": "改了", "version": "3"}
    yield get(f"/applications/edit/?id={key}")
    yield post(f"/applications/edit/?id={key}", data=form)
    yield post(f"/applications/edit/?id={key}", data=form | {"_submit": "1"})
    pdf = (io.BytesIO(b"%PDF-1.4"), "a.pdf")
    yield post("/applications/upload/", data={"id": key, "kind": "other", "file": pdf})
    yield from (post("/applications/remove/", data={"id": key, "attachment": file}) for file in files)


# Routes that are about no row of the register; every other one is attacked below, and so is the next new one.
# A bundle is asked for by a signed job: tests/views/screens/test_printing.py.
ROWLESS = {"index_view", "create_view", "export", "ajax_lookup", "bundle"}


# Whose eyes, on which screens → the rows they must not see: who filed them, and how far they have come.
STRANGE = {
    "publisher": (["applications"], [("publisher2", "draft"), ("agent", "draft"), ("agent", "filed")]),
    "agent": (["applications"], [("publisher", "returned"), ("publisher2", "filed")]),
    "reviewer": (["review", "filings"], [("publisher", "draft"), ("press440000", "pending"), ("press440000", "filed")]),
    "national": (["register"], [("publisher", "draft"), ("publisher", "pending"), ("publisher", "refused")]),
}


SEEN_ON = {"reviewer2": ["review", "filings"]} | {name: screens for name, (screens, _rows) in STRANGE.items()}


@pytest.mark.parametrize("username", STRANGE)
def test_a_strange_row_is_not_there_and_nothing_touches_it(
    username: str,
    app: Flask,
    as_: As,
    make_application: Making,
    a_press: Callable[..., str],
    on_record: Recording,
) -> None:
    """AD1, AC3: every route that takes a row answers 404 for another's, lists leave it out, and no row has changed."""
    a_press("440000")
    screens, owners = STRANGE[username]
    strange = [on_record(make_application(by=by, status=status)) for by, status in owners]
    browser, before = as_(username), ledger(app)
    for screen in screens:
        for kept in strange:
            (row,) = kept["application"]
            for answer in attacks(browser, screen, row["id"], files_of(kept)):
                assert answer.status_code == 404, (row["number"], answer.request.method, answer.request.full_path)
        listed = browser.get(f"/{screen}/").text + browser.get(f"/{screen}/export/csv/").text
        assert [kept for kept in strange if kept["application"][0]["number"] in listed] == []
    assert ledger(app) == before


@pytest.mark.parametrize(
    ("username", "screen", "status"),
    [
        ("publisher", "applications", "revoked"),
        ("reviewer", "review", "pending"),
        ("reviewer", "filings", "customs_failed"),
        ("reviewer", "exchange", "customs_failed"),
        ("national", "register", "pending"),
    ],
)
def test_every_route_about_a_row_knows_none_of_anothers(
    username: str,
    screen: str,
    status: str,
    app: Flask,
    as_: As,
    make_application: Making,
    a_press: Callable[..., str],
    on_record: Recording,
    routes: list[Rule],
    a_pdf: Callable[[str], bytes],
) -> None:
    """AD1, AC5: from the map of routes: a number that can be guessed is worth nothing, through whatever door."""
    a_press("440000")
    kept = on_record(make_application(by="press440000", status=status))
    key = kept["customs_message"][0]["id"] if screen == "exchange" else kept["application"][0]["id"]
    browser, before, tried = as_(username), ledger(app), 0
    for rule in (rule for rule in routes if rule.endpoint.startswith(f"{screen}.")):
        view = rule.endpoint.partition(".")[2]
        if username[0].upper() not in DOORS[rule.endpoint] or view in ROWLESS:
            continue
        for act in ACTS if "action" in rule.arguments else [""]:
            where = address(rule, files_of(kept)[0] if view == "attachment" else key, action=act)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                body: dict[str, object] = {"id": key, "pick": key, "attachment": files_of(kept)[0], "kind": "other"}
                body["file"] = (io.BytesIO(a_pdf("x")), "a.pdf")
                answer = browser.open(where, method=method, data=body if method == "POST" else None)
                assert answer.status_code == 404, (method, where)
                tried += 1
    assert tried >= 3
    assert ledger(app) == before


def test_no_row_answers_to_nonsense(app: Flask, as_: As, make_application: Making) -> None:
    """A number that is none is a row that is not there, on both databases."""
    make_application(status="filed")
    before = ledger(app)
    for username, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
        browser = as_(username)
        for key in NONSENSE:
            for place in ("details", "attachment", "certificate", *(["edit"] if screen == "applications" else [])):
                assert browser.get(f"/{screen}/{place}/", query_string={"id": key}).status_code == 404, (place, key)
            assert browser.post(f"/{screen}/print/", data={"id": key}).status_code == 404, key
    operator = as_("operator")
    for key in NONSENSE:
        assert operator.get("/accounts/edit/", query_string={"id": key}).status_code == 404, key
        assert operator.post("/accounts/reset/", data={"id": key}).status_code == 404, key
    assert ledger(app) == before


def test_every_file_opens_to_those_who_see_its_application(
    as_: As, make_application: Making, a_press: Callable[..., str], on_record: Recording
) -> None:
    """AC2: all files × all people; a file is reached through its application only, by whichever screen."""
    a_press("440000")
    rows = [("publisher", "draft"), ("agent", "pending"), ("press440000", "filed")]
    files = {row: files_of(on_record(make_application(by=row[0], status=row[1]))) for row in rows}
    sees = {
        "publisher": {"publisher"}, "publisher2": set(), "agent": {"agent"}, "press440000": {"press440000"},
        "reviewer": {"agent"}, "reviewer2": {"press440000"}, "national": {"press440000"}, "operator": set(),
    }  # fmt: skip
    for username, owners in sees.items():
        browser = as_(username)
        screens = SEEN_ON.get(username, ["applications"])
        for (owner, _status), keys in files.items():
            for key in keys:
                answers = {browser.get(f"/{screen}/attachment/?id={key}").status_code for screen in screens}
                assert (200 in answers) is (owner in owners), (username, owner)
                assert answers <= {200, 404 if username != "operator" else 403}


def test_through_ones_own_form_nobody_reaches_the_carriers_of_another(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """AC1: own parent, foreign child. The foreign row stays, whether changed, deleted or sent twice."""
    own, foreign = make_application(), make_application(by="publisher2", carriers=2)
    before, browser = on_record(foreign), as_("publisher")
    for carrier in before["carrier"]:
        for forged in ({}, {"del-carriers-0": "on"}, {"carriers-1-id": str(carrier["id"]), "del-carriers-1": "on"}):
            form = form_of(browser.get(f"/applications/edit/?id={own}").text)
            form |= {"carriers-0-id": str(carrier["id"]), "carriers-0-specification": "改了"}
            assert browser.post(f"/applications/edit/?id={own}", data=form | forged).status_code in (302, 422)
    assert on_record(foreign) == before
    assert {carrier["application_id"] for carrier in on_record(own)["carrier"]} == {own}


def test_through_ones_own_application_nobody_reaches_the_files_of_another(
    app: Flask, as_: As, make_application: Making, on_record: Recording, a_pdf: Callable[[str], bytes]
) -> None:
    """AC1: own parent, foreign attachment; removed files of one's own are no way either."""
    own, foreign = make_application(), make_application(by="publisher2")
    browser, before = as_("publisher"), ledger(app)
    for file in (*files_of(on_record(foreign)), 99999):
        assert browser.post("/applications/remove/", data={"id": own, "attachment": file}).status_code == 404
        upload = {"id": own, "kind": "other", "replaces": file, "file": (io.BytesIO(a_pdf("x")), "a.pdf")}
        answer = browser.post("/applications/upload/", data=upload)
        assert (answer.status_code, answer.json["message"]) == (422, "该附件已不存在，请刷新页面后再试。")
    assert ledger(app) == before


def test_a_press_that_has_not_entrusted_cannot_be_chosen(
    app: Flask, as_: As, make_application: Making, on_record: Recording
) -> None:
    """AD10: a foreign number in the select box is refused, and the list of choices does not name it."""
    foreign = on_record(make_application(by="publisher2"))["application"][0]
    key = make_application()
    browser, before = as_("publisher"), ledger(app)
    page = browser.get(f"/applications/edit/?id={key}").text
    assert foreign["publisher_name"] not in page
    for forged in (foreign["publisher_id"], 99999, "abc", "-1", "1e0"):
        for where in (f"/applications/edit/?id={key}", "/applications/new/"):
            answer = browser.post(where, data=form_of(page) | {"publisher_id": str(forged)})
            assert answer.status_code == 422
            assert "请从下拉列表中选择。" in answer.text
    assert ledger(app) == before


@pytest.fixture
def without_row_guard() -> Iterator[None]:
    """The one rule on the session, taken off."""
    event.remove(GuardedSession, "do_orm_execute", access.see_own_rows)
    yield
    event.listen(GuardedSession, "do_orm_execute", access.see_own_rows)


@pytest.mark.usefixtures("without_row_guard")
def test_without_the_row_guard_the_attacks_succeed(as_: As, make_application: Making, on_record: Recording) -> None:
    """AD2: it is that one rule, and nothing else, which makes the tests above pass."""
    foreign = on_record(make_application(by="publisher2"))
    (row,) = foreign["application"]
    browser = as_("publisher")
    assert row["number"] in numbers(browser.get("/applications/").text)
    assert row["number"] in browser.get("/applications/export/csv/").text
    assert row["title"] in browser.get(f"/applications/details/?id={row['id']}").text
    for file in files_of(foreign):
        assert browser.get(f"/applications/attachment/?id={file}").status_code == 200
    form = form_of(browser.get(f"/applications/edit/?id={row['id']}").text) | {"title": "改了"}
    assert browser.post(f"/applications/edit/?id={row['id']}", data=form).status_code == 302
    assert browser.post("/applications/delete/", data={"id": row["id"]}).status_code == 303
    (attacked,) = on_record(row["id"])["application"]
    assert attacked["title"] == "改了"
    assert attacked["deleted_at"] is not None
