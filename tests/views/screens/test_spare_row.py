"""The blank row of 载体信息 for browsers without script: stored only if something is typed into it."""

import re

import pytest

from models.application import MOST_CARRIERS
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import complaints, form_of
from tests.views.screens.saved_forms import opened, row, save


def rows_of(form: dict[str, str]) -> list[str]:
    return [name for name in form if re.fullmatch(r"carriers-\d+-id", name)]


def test_a_blank_row_is_neither_stored_nor_an_error(client_as: ClientAs, stored_rows: StoredRows) -> None:
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text)
    assert rows_of(form) == ["carriers-0-id"]
    answer = browser.post("/applications/new/", data=form | {"title": "茉莉花"})
    key = int(answer.location.rpartition("=")[2])
    assert stored_rows(key)["carrier"] == []
    page = browser.get(answer.location).text
    assert complaints(page) == []
    assert rows_of(form_of(page)) == ["carriers-0-id"]


def test_a_filled_row_is_stored_and_the_next_one_is_blank(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, browser = make_application(carriers=2), client_as("publisher")
    assert rows_of(opened(browser, key)) == [f"carriers-{place}-id" for place in range(3)]
    assert save(browser, key, opened(browser, key) | row(2, quantity="77")).status_code == 302
    assert [int(carrier["quantity"]) for carrier in stored_rows(key)["carrier"]] == [1000, 1001, 77]
    again = opened(browser, key)
    assert (again["carriers-2-quantity"], again["carriers-3-quantity"]) == ("77", "")


def test_the_blank_row_comes_after_the_numbers_of_the_page(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """A form that is shown again has gaps where rows were removed."""
    key, browser = make_application(), client_as("publisher")
    form = opened(browser, key)
    assert save(browser, key, form).status_code == 302  # so that the second one conflicts
    answer = save(browser, key, form | {"title": "另一个名称", "page_key": ""} | row(7))
    assert answer.status_code == 409
    assert rows_of(form_of(answer.text)) == ["carriers-0-id", "carriers-7-id", "carriers-8-id"]


@pytest.mark.slow
def test_a_full_table_has_no_blank_row_and_a_blank_one_does_not_count(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, browser = make_application(carriers=0), client_as("publisher")
    form = opened(browser, key)
    for place in range(MOST_CARRIERS):
        form |= row(place)
    blank = dict.fromkeys(row(MOST_CARRIERS), "")
    assert save(browser, key, form | row(MOST_CARRIERS)).status_code == 409
    assert save(browser, key, form | blank).status_code == 302
    assert len(stored_rows(key)["carrier"]) == MOST_CARRIERS
    assert len(rows_of(opened(browser, key))) == MOST_CARRIERS
