"""Permission matrix: every route × every role × own and foreign rows, against a table written by hand."""

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
from tests.cast import announced, kept_by
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
perform       P             R       R        R         N         .         .              .             .          .
attachment    P             R       R        .         N         .         .              .             .          .
certificate   P             R       R        .         N         .         .              .             .          .
prepare       P             R       R        .         N         .         .              .             .          .
print_all     P             R       R        .         N         .         .              .             .          .
together      .             R       .        .         .         .         .              .             .          .
bundle        P             R       R        .         N         .         .              .             .          .
copy          P             .       .        .         .         .         .              .             .          .
duplicate     P             .       .        .         .         .         .              .             .          .
upload        P             .       .        .         .         .         .              .             .          .
remove        P             .       .        .         .         .         .              .             .          .
blank         P             .       .        .         .         .         .              .             .          .
carrier_template P             .       .        .         .         .         .              .             .          .
carrier_preview P             .       .        .         .         .         .              .             .          .
carrier_take  P             .       .        .         .         .         .              .             .          .
autosave      P             .       .        .         .         .         .              .             .          .
keys          .             .       .        .         .         O         .              .             .          .
remove_key    .             .       .        .         .         O         .              .             .          .
bind_card     .             .       .        .         .         O         .              .             .          .
remove_card   .             .       .        .         .         O         .              .             .          .
give_code     .             .       .        .         .         O         .              .             .          .
reset         .             .       .        .         .         O         .              .             .          .
letter        .             .       .        R         .         .         .              .             .          .
preview       .             R       R        .         .         .         .              .             O          .
keep_typed    .             R       R        .         .         .         .              .             .          .
renew         .             R       R        .         .         .         .              .             .          .
replace       .             .       .        .         .         .         .              .             O          .
"""
MORE_SCREENS = """
              calendar  province  announcements messages  entrusting  queries
index_view    O         R         O             PRNO      P             PRNO
create_view   O         -         O             -         P             -
edit_view     -         -         O             -         -             PRNO
details_view  -         -         -             PRNO      -             -
export        -         -         -             -         -             -
ajax_lookup   -         -         -             -         -             -
preview       O         .         .             .         .             .
replace       O         .         .             .         .             .
remove        O         .         .             .         .             PRNO
opinions      .         R         .             .         .             .
keep_opinion  .         R         .             .         .             .
withdraw      .         .         O             .         .             .
announcement  .         .         .             PRNO      .             .
mail          .         .         .             PRNO      .             .
read_all      .         .         .             PRNO      .             .
feed          .         .         .             R         .             .
keep_feed     .         .         .             R         .             .
change        .         .         .             .         P             .
keep          .         .         .             .         .             PRNO
ask           .         .         .             .         .             PRNO
"""
LOG_SCREENS = """
              signins  operations  prints  acts  online
index_view    NO       NO          NO      N     O
create_view   -        -           -       -     -
edit_view     -        -           -       -     -
details_view  -        -           -       -     -
export        NO       NO          NO      N     -
ajax_lookup   -        -           -       -     -
end           .        .           .       .     O
unlock        .        .           .       .     O
"""
EVERYBODY = "anybody"
SIGNING_IN = "login key_login key_options card_login confirm confirm_options logout"
PUBLIC = f"{SIGNING_IN} picture sound health icon feed verify.show verify.upload static admin.static"
OTHERS = (
    {"handbook.index": "O", "condition.index": "O", "blanks.index": "O", "blanks.file": "O", "blanks.keep": "O"}
    | {"blanks.remove": "O", "statistics.index": "RN", "statistics.export": "RN"}
    | dict.fromkeys(("admin.index", "desk.index", "password", "visits.index", "visits.end"), "PRNO")
    | dict.fromkeys(("keys.index", "keys.options", "keys.add", "keys.remove"), "PRNO")
    | dict.fromkeys(PUBLIC.split(), EVERYBODY)
)
OWNERS = dict(zip((*SCREENS.split()[:10], *MORE_SCREENS.split()[:3], "entrusting"), "PRRRNOOOOOOROP", strict=True)) | {
    "messages": "PRNO",
    "queries": "PRNO",
    "handbook": "O",
    "condition": "O",
    "blanks": "O",
    "statistics": "RN",
    "signins": "NO",
    "operations": "NO",
    "prints": "NO",
    "acts": "N",
    "online": "O",
}
PEOPLE = {"P": "publisher", "R": "reviewer", "N": "national", "O": "operator"}
FILLED = {
    "action": "print",
    "act": "resend",
    "what": "add",
    "answer": "end",
    "export_type": "csv",
    "number": "Z",
    "filename": "panel.css",
    "token": "x",
    "how": "renew",
}
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
ACTS = [
    action.value for action in Action if action not in (Action.EDIT, Action.COPY, Action.DUPLICATE)
]  # those of `perform`


def table(text: str) -> dict[str, str]:
    """Endpoint → letters of the roles that may use it."""
    head, *lines = text.strip().splitlines()
    cells = {
        f"{screen}.{view}": letter
        for view, *letters in map(str.split, lines)
        for screen, letter in zip(head.split(), letters, strict=True)
    }
    return {endpoint: letter.strip("-") for endpoint, letter in cells.items() if letter != "."}


DOORS = table(SCREENS) | table(MORE_SCREENS) | table(LOG_SCREENS) | OTHERS


def acts_of(rule: Rule) -> list[str]:
    """The acts that a route takes, or one empty word."""
    if "action" not in rule.arguments:
        return [""]
    return ["grant", "return"] if rule.endpoint.endswith(".together") else sorted(ACTS, key="print".__eq__)


def address(rule: Rule, key: int, **more: str) -> str:
    """The URL of a route, for this row if it takes one."""
    values = {name: (FILLED | {"action": acts_of(rule)[-1]} | more)[name] for name in rule.arguments}
    if rule.endpoint == "admin.static":
        values["filename"] = "vendor/jquery.min.js"
    built = rule.build(values)
    assert built is not None
    return f"{built[1]}?id={key}&name={LOOKED_UP.get(rule.endpoint, '')}"


def knock(browser: Browser, rule: Rule, key: int) -> list[TestResponse]:
    """The status of the route for each of its methods."""
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    where, body = address(rule, key), {"id": key, "attachment": key}
    return [browser.open(where, method=method, data=body if method == "POST" else None) for method in methods]


def test_every_route_has_its_line_in_the_table(routes: list[Rule]) -> None:
    """AD1: a new route fails this test until somebody writes down who may use it."""
    found = {rule.endpoint for rule in routes}
    for endpoint in sorted(found - set(DOORS)):
        pytest.fail(f"{endpoint} is a new route: write into the table of {__name__} who may pass it, and who not.")
    assert set(DOORS) - found == set(), "the table speaks of routes that are gone"


@pytest.mark.slow
@pytest.mark.parametrize("letter", PEOPLE)
def test_every_route_is_open_only_to_the_roles_of_the_table(
    letter: str, app: Flask, as_: As, make_application: Making, routes: list[Rule]
) -> None:
    """AC3, AC4: role × endpoint, with a row that the role may see; 404 and not 403 where a screen of one's own ends."""
    key, browser = make_application(status="customs_failed"), as_(PEOPLE[letter])
    announced(app)  # which the operator withdraws
    announcement, messages = announced(app)
    own = {"messages.announcement": announcement, "messages.details_view": messages[PEOPLE[letter]]}
    own |= dict.fromkeys(("queries.edit_view", "queries.ask"), kept_by(app, PEOPLE[letter]))
    for rule in routes:
        may = DOORS[rule.endpoint]
        if may == EVERYBODY:
            continue
        for answer in knock(browser, rule, own.get(rule.endpoint, 1 if letter == "O" else key)):
            what = (letter, answer.request.method, rule.endpoint, answer.status_code)
            if letter in may:
                assert answer.status_code in PASSED, what
            else:
                assert answer.status_code == (404 if letter in OWNERS[rule.endpoint.split(".")[0]] else 403), what


@pytest.mark.slow
def test_anonymous_requests_are_redirected_or_refused(as_: As, routes: list[Rule]) -> None:
    """AC3: GET leads to the login, POST is refused."""
    browser = as_(None)
    for rule in routes:
        for answer in knock(browser, rule, 1):
            what = (answer.request.method, rule.endpoint, answer.status_code)
            if DOORS[rule.endpoint] == EVERYBODY:
                let_in = answer.status_code in PASSED or rule.endpoint == "feed"  # 404 without its secret
                assert let_in or answer.request.method == "POST", what
            elif answer.request.method == "GET":
                assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/login"), what
            else:
                assert answer.status_code == 401, what


def files_of(records: dict[str, list[dict[str, int]]]) -> list[int]:
    """The ids of an application's attachments, from the rows of `on_record`."""
    return [file["id"] for file in records["attachment"]]


def attacks(browser: Browser, screen: str, key: int, files: list[int]) -> Iterator[TestResponse]:
    """Every request that takes a row, on a foreign row, through one screen."""
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
    yield post(f"/applications/autosave/?id={key}", data=form)
    cells = {"cells": '[["DVD"]]', "version": "3"}
    yield from (post(f"/applications/carriers/{way}/?id={key}", data=cells) for way in ("preview", "take"))
    yield from (post("/applications/remove/", data={"id": key, "attachment": file}) for file in files)


# Routes that are about no row of the register; every other one is attacked below, and so is the next new one.
# A bundle is asked for by a signed job: tests/views/screens/test_printing.py.
ROWLESS = {"index_view", "create_view", "export", "ajax_lookup", "bundle", "carrier_template", "blank"}


# Whose eyes, on which screens → the rows they must not see: who filed them, and how far they have come.
STRANGE = {
    "publisher": (["applications"], [("publisher2", "draft"), ("agent", "draft"), ("agent", "filed")]),
    "agent": (["applications"], [("publisher", "returned"), ("publisher2", "filed")]),
    "reviewer": (["review", "filings"], [("publisher", "draft"), ("press440000", "pending"), ("press440000", "filed")]),
    "national": (["register"], [("publisher", "draft"), ("publisher", "pending"), ("publisher", "refused")]),
}


SEEN_ON = {"reviewer2": ["review", "filings"]} | {name: screens for name, (screens, _rows) in STRANGE.items()}


@pytest.mark.slow
@pytest.mark.parametrize("username", STRANGE)
def test_a_foreign_row_is_not_found_and_not_changed(
    username: str,
    app: Flask,
    as_: As,
    make_application: Making,
    a_press: Callable[..., str],
    on_record: Recording,
) -> None:
    """AD1, AC3: every route that takes a row answers 404, lists omit it, and no row has changed."""
    a_press("440000")
    screens, owners = STRANGE[username]
    strange = [on_record(make_application(by=by, status=status)) for by, status in owners]
    browser, before = as_(username), ledger(app)
    for screen in screens:
        for records in strange:
            (row,) = records["application"]
            for answer in attacks(browser, screen, row["id"], files_of(records)):
                assert answer.status_code == 404, (row["number"], answer.request.method, answer.request.full_path)
        listed = browser.get(f"/{screen}/").text + browser.get(f"/{screen}/export/csv/").text
        assert [records for records in strange if records["application"][0]["number"] in listed] == []
    assert ledger(app) == before


@pytest.mark.slow
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
def test_every_route_that_takes_a_row_refuses_foreign_ones(
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
    """AD1, AC5: by the list of all routes: a guessed id is useless."""
    a_press("440000")
    records = on_record(make_application(by="press440000", status=status))
    key = records["customs_message"][0]["id"] if screen == "exchange" else records["application"][0]["id"]
    browser, before, tried = as_(username), ledger(app), 0
    for rule in (rule for rule in routes if rule.endpoint.startswith(f"{screen}.")):
        view = rule.endpoint.partition(".")[2]
        if username[0].upper() not in DOORS[rule.endpoint] or view in ROWLESS:
            continue
        for act in acts_of(rule):
            where = address(rule, files_of(records)[0] if view == "attachment" else key, action=act)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                body: dict[str, object] = {"id": key, "pick": key, "attachment": files_of(records)[0], "kind": "other"}
                body["file"] = (io.BytesIO(a_pdf("x")), "a.pdf")
                answer = browser.open(where, method=method, data=body if method == "POST" else None)
                assert answer.status_code == 404, (method, where)
                tried += 1
    assert tried >= 3
    assert ledger(app) == before


@pytest.mark.slow
def test_no_row_answers_to_nonsense(app: Flask, as_: As, make_application: Making) -> None:
    """A malformed id is a missing row, on both databases."""
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


@pytest.mark.slow
def test_every_file_opens_to_those_who_see_its_application(
    as_: As, make_application: Making, a_press: Callable[..., str], on_record: Recording
) -> None:
    """AC2: all files × all people; a file is reached only through its application, by any screen."""
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


@pytest.mark.slow
def test_through_ones_own_form_nobody_reaches_the_carriers_of_another(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """AC1: own parent, foreign child. The foreign row is not changed, deleted or doubled."""
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
    """AC1: own parent, foreign attachment; also with removed files of one's own."""
    own, foreign = make_application(), make_application(by="publisher2")
    browser, before = as_("publisher"), ledger(app)
    for file in (*files_of(on_record(foreign)), 99999):
        assert browser.post("/applications/remove/", data={"id": own, "attachment": file}).status_code == 404
        upload = {"id": own, "kind": "other", "replaces": file, "file": (io.BytesIO(a_pdf("x")), "a.pdf")}
        answer = browser.post("/applications/upload/", data=upload)
        assert (answer.status_code, answer.json["message"]) == (422, "该附件已不存在，请刷新页面后再试。")
    assert ledger(app) == before


@pytest.mark.slow
def test_a_press_that_has_not_entrusted_cannot_be_chosen(
    app: Flask, as_: As, make_application: Making, on_record: Recording
) -> None:
    """AD10: a foreign id in the select field is refused, and the choices do not contain it."""
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
    """Row security switched off."""
    event.remove(GuardedSession, "do_orm_execute", access.reading.see_own_rows)
    yield
    event.listen(GuardedSession, "do_orm_execute", access.reading.see_own_rows)


@pytest.mark.usefixtures("without_row_guard")
def test_without_the_row_guard_the_attacks_succeed(as_: As, make_application: Making, on_record: Recording) -> None:
    """AD2: only row security makes the tests above pass."""
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
