"""撤回: possible until the province has opened the application; then a message says so."""

import pytest
from flask import Flask

from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import flashed, form_of
from tests.views.terminal.commands import run_command


def withdraw(browser: Browser, key: int) -> list[str]:
    """The messages of the page after 撤回."""
    return flashed(browser.post("/applications/withdraw/", data={"id": key}, follow_redirects=True).text)


def dimmed(browser: Browser, key: int) -> bool:
    """Whether 撤回 on the page of the application is dimmed."""
    (button,) = [
        part.partition(">")[0]
        for part in browser.get(f"/applications/details/?id={key}").text.split("<button")
        if 'data-act="withdraw"' in part.partition(">")[0]
    ]
    return "aria-disabled" in button


@pytest.mark.slow
def test_an_unopened_application_is_withdrawn_edited_and_resubmitted(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, publisher, reviewer = make_application(status="pending"), client_as("publisher"), client_as("reviewer")
    number = stored_rows(key)["application"][0]["number"]
    assert number in reviewer.get("/review/").text, "seen in the list is not opened"
    assert not dimmed(publisher, key)
    withdraw(publisher, key)
    record = stored_rows(key)
    assert (record["application"][0]["status"], record["application"][0]["due_on"]) == ("draft", None)
    assert [entry["act"] for entry in record["trail_entry"]][-1] == "withdraw"
    assert reviewer.get(f"/review/details/?id={key}").status_code == 404
    assert number not in reviewer.get("/review/").text
    form = form_of(publisher.get(f"/applications/edit/?id={key}").text) | {"title": "改过的名称"}
    assert publisher.post(f"/applications/edit/?id={key}", data=form).status_code == 302
    perform_step(app, Action.SUBMIT, key, "publisher")
    assert stored_rows(key)["application"][0]["number"] == number
    assert "改过的名称" in reviewer.get(f"/review/details/?id={key}").text
    assert stored_rows(key)["application"][0]["submissions"] == 1, "nobody has returned it"
    assert number not in reviewer.get("/review/?round=again").text
    assert run_command(app, "trail", "verify").exit_code == 0


@pytest.mark.parametrize("page", ["review/details", "filings/details", "review/preview"])
def test_an_application_opened_by_the_province_cannot_be_withdrawn(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, page: str
) -> None:
    key, publisher = make_application(status="pending"), client_as("publisher")
    client_as("reviewer").get(f"/{page}/?id={key}")
    before = stored_rows(key)
    assert dimmed(publisher, key)
    (sentence,) = withdraw(publisher, key)
    assert sentence.startswith("江苏省新闻出版局已于 ")
    assert sentence.endswith("不能撤回；需要修改时请与其联系。")
    assert stored_rows(key) == before


def test_opening_a_case_creates_no_version_and_only_the_first_counts(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    (before,) = stored_rows(key)["application"]
    reviewer.get(f"/review/details/?id={key}")
    (first,) = stored_rows(key)["application"]
    client_as("reviewer").get(f"/review/details/?id={key}")
    (second,) = stored_rows(key)["application"]
    assert first == second
    assert first == before | {"opened_at": first["opened_at"]}
    assert first["opened_at"]


def test_opening_by_another_province_or_the_applicant_does_not_count(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application(status="pending")
    for username, screen in (("reviewer2", "review"), ("publisher", "applications"), ("national", "register")):
        client_as(username).get(f"/{screen}/details/?id={key}")
    assert stored_rows(key)["application"][0]["opened_at"] is None


def test_a_province_can_disable_withdrawal(client_as: ClientAs, make_application: MakeApplication) -> None:
    key, reviewer, publisher = make_application(status="pending"), client_as("reviewer"), client_as("publisher")
    form = form_of(reviewer.get("/province/").text, "card-box")
    assert form.pop("withdrawal_allowed")
    assert reviewer.post("/province/", data=form).status_code == 302
    assert dimmed(publisher, key)
    assert "没有开放撤回" in withdraw(publisher, key)[0]


def test_an_application_returned_once_cannot_be_withdrawn(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """As a draft it would be out of its sight, and could be deleted."""
    key, publisher = make_application(status="returned"), client_as("publisher")
    perform_step(app, Action.SUBMIT, key, "publisher")
    assert "曾被退回，再次申报后不能撤回" in withdraw(publisher, key)[0]
