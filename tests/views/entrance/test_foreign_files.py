"""Files and carriers of others cannot be reached through an own form or an own application."""

import io
from collections.abc import Callable

import pytest
from flask import Flask

from tests.browsing import ClientAs
from tests.conftest import MakeApplication, MakePdf, StoredRows
from tests.views.entrance.route_roles import (
    FOREIGN_ROWS,
    files_of,
)
from tests.views.ledger import ledger
from tests.views.pages import form_of

SEEN_ON = {"reviewer2": ["review", "filings"]} | {name: screens for name, (screens, _rows) in FOREIGN_ROWS.items()}


@pytest.mark.slow
def test_a_file_opens_for_every_reader_of_its_application(
    client_as: ClientAs, make_application: MakeApplication, make_publisher: Callable[..., str], stored_rows: StoredRows
) -> None:
    """AC2: all files × all people; a file is reached only through its application, by any screen."""
    make_publisher("440000")
    rows = [("publisher", "draft"), ("agent", "pending"), ("publisher440000", "filed")]
    files = {row: files_of(stored_rows(make_application(by=row[0], status=row[1]))) for row in rows}
    sees = {
        "publisher": {"publisher"}, "publisher2": set(), "agent": {"agent"}, "publisher440000": {"publisher440000"},
        "reviewer": {"agent"}, "reviewer2": {"publisher440000"}, "national": {"publisher440000"}, "operator": set(),
    }  # fmt: skip
    for username, owners in sees.items():
        browser = client_as(username)
        screens = SEEN_ON.get(username, ["applications"])
        for (owner, _status), keys in files.items():
            for key in keys:
                answers = {browser.get(f"/{screen}/attachment/?id={key}").status_code for screen in screens}
                assert (200 in answers) is (owner in owners), (username, owner)
                assert answers <= {200, 404 if username != "operator" else 403}


@pytest.mark.slow
def test_a_form_cannot_change_carriers_of_another_application(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AC1: own parent, foreign child. The foreign row is not changed, deleted or doubled."""
    own, foreign = make_application(), make_application(by="publisher2", carriers=2)
    before, browser = stored_rows(foreign), client_as("publisher")
    for carrier in before["carrier"]:
        for forged in ({}, {"del-carriers-0": "on"}, {"carriers-1-id": str(carrier["id"]), "del-carriers-1": "on"}):
            form = form_of(browser.get(f"/applications/edit/?id={own}").text)
            form |= {"carriers-0-id": str(carrier["id"]), "carriers-0-specification": "改了"}
            assert browser.post(f"/applications/edit/?id={own}", data=form | forged).status_code in (302, 422)
    assert stored_rows(foreign) == before
    assert {carrier["application_id"] for carrier in stored_rows(own)["carrier"]} == {own}


def test_an_application_gives_no_access_to_files_of_another(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, make_pdf: MakePdf
) -> None:
    """AC1: own parent, foreign attachment; also with removed files of one's own."""
    own, foreign = make_application(), make_application(by="publisher2")
    browser, before = client_as("publisher"), ledger(app)
    for file in (*files_of(stored_rows(foreign)), 99999):
        assert browser.post("/applications/remove/", data={"id": own, "attachment": file}).status_code == 404
        upload = {"id": own, "kind": "other", "replaces": file, "file": (io.BytesIO(make_pdf("x")), "a.pdf")}
        answer = browser.post("/applications/upload/", data=upload)
        assert (answer.status_code, answer.json["message"]) == (422, "该附件已不存在，请刷新页面后再试。")
    assert ledger(app) == before
