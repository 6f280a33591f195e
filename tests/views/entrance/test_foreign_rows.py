"""Rows of others: not found and not changed, whichever route is asked, also with nonsense for a number."""

import io
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models import access
from models.database import GuardedSession
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication, MakePdf, StoredRows
from tests.views.entrance.route_roles import (
    ACTS,
    FOREIGN_ROWS,
    ROUTE_ROLES,
    acts_of,
    address,
    files_of,
)
from tests.views.ledger import ledger
from tests.views.pages import form_of, numbers

NONSENSE = ("", "0", "-1", "99999", "abc", "1,2", "1 OR 1=1", "９", "1.0", "9" * 21, "9" * 5000)


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


@pytest.mark.slow
@pytest.mark.parametrize("username", FOREIGN_ROWS)
def test_a_foreign_row_is_not_found_and_not_changed(
    username: str,
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    make_publisher: Callable[..., str],
    stored_rows: StoredRows,
) -> None:
    """AD1, AC3: every route that takes a row answers 404, lists omit it, and no row has changed."""
    make_publisher("440000")
    screens, owners = FOREIGN_ROWS[username]
    strange = [stored_rows(make_application(by=by, status=status)) for by, status in owners]
    browser, before = client_as(username), ledger(app)
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
    client_as: ClientAs,
    make_application: MakeApplication,
    make_publisher: Callable[..., str],
    stored_rows: StoredRows,
    routes: list[Rule],
    make_pdf: MakePdf,
) -> None:
    """AD1, AC5: by the list of all routes: a guessed id is useless."""
    make_publisher("440000")
    records = stored_rows(make_application(by="publisher440000", status=status))
    key = records["customs_message"][0]["id"] if screen == "exchange" else records["application"][0]["id"]
    browser, before, tried = client_as(username), ledger(app), 0
    for rule in (rule for rule in routes if rule.endpoint.startswith(f"{screen}.")):
        view = rule.endpoint.partition(".")[2]
        if username[0].upper() not in ROUTE_ROLES[rule.endpoint] or view in ROWLESS:
            continue
        for act in acts_of(rule):
            where = address(rule, files_of(records)[0] if view == "attachment" else key, action=act)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                body: dict[str, object] = {"id": key, "pick": key, "attachment": files_of(records)[0], "kind": "other"}
                body["file"] = (io.BytesIO(make_pdf("x")), "a.pdf")
                answer = browser.open(where, method=method, data=body if method == "POST" else None)
                assert answer.status_code == 404, (method, where)
                tried += 1
    assert tried >= 3
    assert ledger(app) == before


@pytest.mark.slow
def test_a_malformed_id_finds_no_row(app: Flask, client_as: ClientAs, make_application: MakeApplication) -> None:
    """A malformed id is a missing row, on both databases."""
    make_application(status="filed")
    before = ledger(app)
    for username, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
        browser = client_as(username)
        for key in NONSENSE:
            for place in ("details", "attachment", "certificate", *(["edit"] if screen == "applications" else [])):
                assert browser.get(f"/{screen}/{place}/", query_string={"id": key}).status_code == 404, (place, key)
            assert browser.post(f"/{screen}/print/", data={"id": key}).status_code == 404, key
    operator = client_as("operator")
    for key in NONSENSE:
        assert operator.get("/accounts/edit/", query_string={"id": key}).status_code == 404, key
        assert operator.post("/accounts/reset/", data={"id": key}).status_code == 404, key
    assert ledger(app) == before


@pytest.mark.slow
def test_an_agent_cannot_choose_a_publisher_that_has_not_entrusted_it(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AD10: a foreign id in the select field is refused, and the choices do not contain it."""
    foreign = stored_rows(make_application(by="publisher2"))["application"][0]
    key = make_application()
    browser, before = client_as("publisher"), ledger(app)
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
    event.remove(GuardedSession, "do_orm_execute", access.reading.add_reading_rules)
    yield
    event.listen(GuardedSession, "do_orm_execute", access.reading.add_reading_rules)


@pytest.mark.usefixtures("without_row_guard")
def test_without_the_row_guard_the_attacks_succeed(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AD2: only row security makes the tests above pass."""
    foreign = stored_rows(make_application(by="publisher2"))
    (row,) = foreign["application"]
    browser = client_as("publisher")
    assert row["number"] in numbers(browser.get("/applications/").text)
    assert row["number"] in browser.get("/applications/export/csv/").text
    assert row["title"] in browser.get(f"/applications/details/?id={row['id']}").text
    for file in files_of(foreign):
        assert browser.get(f"/applications/attachment/?id={file}").status_code == 200
    form = form_of(browser.get(f"/applications/edit/?id={row['id']}").text) | {"title": "改了"}
    assert browser.post(f"/applications/edit/?id={row['id']}", data=form).status_code == 302
    assert browser.post("/applications/delete/", data={"id": row["id"]}).status_code == 303
    (attacked,) = stored_rows(row["id"])["application"]
    assert attacked["title"] == "改了"
    assert attacked["deleted_at"] is not None
