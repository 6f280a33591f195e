"""English pages: words that Chinese joins without a blank have one, and counts stand behind what they count."""

import re

import pytest
from flask import Flask

from models import clock
from tests.conftest import MakeApplication
from tests.dates import SetDay
from tests.views.conftest import CertificateData
from tests.views.test_records_in_chinese import reading

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def read(app: Flask, username: str, path: str) -> str:
    """The text of the page in English, without tags."""
    page = reading(app, username, "en").get(path).text
    return " ".join(re.sub("<[^>]+>", "", page).split())


def test_the_heading_of_an_opinion_names_the_act(app: Flask, make_application: MakeApplication) -> None:
    key = make_application(status="returned")
    assert "Return: opinion" in read(app, "publisher", f"/applications/edit/?id={key}")


def test_the_alert_about_the_calendar_is_two_sentences(app: Flask, set_day: SetDay) -> None:
    set_day(12, 21)
    assert re.search(r"only up to \d{4}-12-31\. Import the holidays", read(app, "operator", "/desk/"))


def test_counts_follow_what_is_counted(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="filed")
    assert "certificates: 1" in read(app, "national", "/desk/")
    assert "Grant: 0; Return: 0" in read(app, "reviewer", "/province/")
    assert "To be sent: 1; Sent, waiting for the receipt: 0" in read(app, "operator", "/condition/")


def test_the_units_of_a_verified_certificate_are_english(
    app: Flask, make_application: MakeApplication, certificate_data: CertificateData
) -> None:
    """The snapshot has the Chinese names of units."""
    paper = certificate_data(make_application(status="filed", carriers=3))
    assert "Rows: 3; 3,003 sheets" in read(app, "publisher", f"/verify/{paper.number}?code={paper.typed}")


def test_a_label_that_ends_in_a_full_stop_gets_no_second_one(app: Flask, make_application: MakeApplication) -> None:
    key = make_application(status="draft", catalogue_number=None, contract_number=None)
    browser = reading(app, "publisher", "en")
    page = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True).text
    assert "Fill in: Publication no." in page and "Fill in: Processing contract no." in page and "no.." not in page


def test_each_clause_of_a_state_begins_with_a_capital(app: Flask) -> None:
    page = read(app, "operator", "/condition/")
    assert "Waiting to be made: 0; Of these late: 0; Set aside: 0" in page
    assert "Not completed in time: 0; Unanswered for long: 0" in page
    assert re.search(r"Database Normal SQLite [\d.]+, can be read and written", page)


def test_the_roles_of_an_announcement_are_english_in_the_log(app: Flask) -> None:
    operator = reading(app, "operator", "en")
    today = str(clock.today())
    given = {"title": "系统、维护", "text": "停机", "roles": ["publisher", "national"], "since": today, "until": today}
    operator.post("/announcements/new/", data=given)
    page = " ".join(read(app, "operator", "/operations/").split())
    assert "Publisher, National authority" in page
    assert "系统、维护" in page


def test_the_figures_of_statistics_count_what_was_done(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="filed")
    assert "SubmittedGrantedDeclinedRefusedRevoked" in read(app, "reviewer", "/statistics/")  # tags left out
