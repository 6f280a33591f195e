"""A form whose answer was lost is sent again, and does not do its work twice."""

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.application import Application
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import form_of
from tests.views.screens.saved_forms import opened, row, save


class TestSentAgain:
    """An answer is lost after the server has committed: the page sends the same save again."""

    def test_a_blank_form_sent_again_makes_one_draft(
        self, app: Flask, client_as: ClientAs, stored_rows: StoredRows
    ) -> None:
        browser = client_as("publisher")
        form = form_of(browser.get("/applications/new/").text) | {"title": "只有一份"} | row(0) | row(1, quantity="7")
        first = browser.post("/applications/new/", data=form).location
        again = browser.post("/applications/new/", data=form | {"contact": "后来写的"} | row(2, quantity="9")).location
        assert first == again
        record = stored_rows(int(again.rpartition("=")[2]))
        assert (record["application"][0]["contact"], [str(each["quantity"]) for each in record["carrier"]]) == (
            "后来写的", ["500", "7", "9"],
        )  # fmt: skip
        with app.app_context(), access.everything() as session:
            assert len(session.scalars(select(Application)).all()) == 1

    @pytest.mark.slow
    def test_a_new_row_sent_again_is_stored_once_and_deleted_when_no_longer_sent(
        self, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        key, browser = make_application(carriers=1), client_as("publisher")
        form = opened(browser, key)
        for more in (row(1, quantity="7") | row(2, quantity="8"), row(1, quantity="7") | row(2, quantity="8")):
            assert save(browser, key, form | more).status_code == 302
        assert [str(each["quantity"]) for each in stored_rows(key)["carrier"]] == ["1000", "7", "8"]
        assert save(browser, key, form | row(2, quantity="8") | {"phone": "1"}).status_code == 302
        record = stored_rows(key)
        assert [str(each["quantity"]) for each in record["carrier"]] == ["1000", "8"]
        assert record["application"][0]["phone"] == "1"

    @pytest.mark.slow
    def test_a_save_of_another_page_in_between_is_still_a_conflict(
        self, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        key, browser = make_application(), client_as("publisher")
        form, other = opened(browser, key), opened(browser, key)
        assert save(browser, key, form | row(1, quantity="7")).status_code == 302
        assert save(browser, key, opened(browser, key) | {"title": "另一个窗口"}).status_code == 302
        answer = save(browser, key, form | row(1, quantity="7"))
        assert answer.status_code == 409
        assert save(browser, key, other).status_code == 409
        assert save(browser, key, form_of(answer.text)).status_code == 302  # a choice made knowingly
        assert [str(each["quantity"]) for each in stored_rows(key)["carrier"]] == ["1000", "7"]

    def test_the_idempotency_key_of_a_page_opens_no_foreign_draft(
        self, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        browser, stranger = client_as("publisher"), client_as("publisher2")
        form = form_of(browser.get("/applications/new/").text)
        own = browser.post("/applications/new/", data=form | {"title": "甲"}).location
        theirs = form_of(stranger.get("/applications/new/").text) | {"page_key": form["page_key"], "title": "乙"}
        assert stranger.post("/applications/new/", data=theirs).location != own
        assert form_of(browser.get(own).text)["title"] == "甲"

    def test_a_copy_sent_twice_by_one_page_is_made_once(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        """Clicked twice before the form opens; the page loaded at another time makes another copy."""
        one, other = make_application(), make_application()
        browser = client_as("publisher")
        key, later = (form_of(browser.get("/applications/").text, "act")["page_key"] for _page in range(2))
        made = [
            browser.post("/applications/duplicate/", data={"id": row, "page_key": page}).location
            for row, page in ((one, key), (one, key), (other, key), (one, later))
        ]
        assert made[0] == made[1]
        assert len(set(made)) == 3
        with app.app_context(), access.everything() as session:
            assert len(session.scalars(select(Application)).all()) == 5
