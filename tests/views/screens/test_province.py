"""本省设置: a reviewer edits the limits of the own province; applicants read them; every change leaves a trail."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import update

from models import clock
from models.application import Application
from tests.apps import engine_of_owner
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.ledger import ledger
from tests.views.pages import complaints, flashed, form_of


@pytest.mark.slow
def test_a_changed_setting_applies_at_once_is_recorded_and_shown_to_applicants(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: clock.datetime(2026, 3, 2, 10, tzinfo=clock.SHANGHAI))
    key, reviewer, publisher = make_application(status="pending"), client_as("reviewer"), client_as("publisher")
    assert "审核 20 个工作日" in publisher.get(f"/applications/details/?id={key}").text
    form = form_of(reviewer.get("/province/").text, "card-box") | {"decide_days": "12"}
    page = reviewer.post("/province/", data=form, follow_redirects=True).text
    assert flashed(page) == ["已保存，重新计算了 1 份申请的办结期限。"]
    assert "办结期限：20 → 12" in page
    assert "陈静" in page
    assert stored_rows(key)["application"][0]["due_on"] == date(2026, 3, 18)
    page = publisher.get(f"/applications/details/?id={key}").text
    assert "审核 12 个工作日" in page
    assert "还剩 12 个工作日" in page
    assert form_of(client_as("reviewer2").get("/province/").text, "card-box")["decide_days"] == "20"


def test_settings_saved_unchanged_move_no_due_date(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Even one that would be computed anew as another day: that is for who changes a limit or the calendar."""
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    with app.app_context(), engine_of_owner(app).begin() as connection:
        connection.execute(update(Application).where(Application.id == key).values(due_on=date(2099, 12, 31)))
    before = ledger(app)
    form = form_of(reviewer.get("/province/").text, "card-box")
    page = reviewer.post("/province/", data=form, follow_redirects=True).text
    assert flashed(page) == ["已保存。"] and "没有改动过" in page
    assert stored_rows(key)["application"][0]["due_on"] == date(2099, 12, 31)
    assert ledger(app) == before


@pytest.mark.parametrize("wrong", ["", "0", "121", "十二", "-3", "1.5", "9" * 400])
def test_an_invalid_number_of_days_has_an_error_beside_its_field(client_as: ClientAs, wrong: str) -> None:
    reviewer = client_as("reviewer")
    form = form_of(reviewer.get("/province/").text, "card-box") | {"extend_days": wrong}
    answer = reviewer.post("/province/", data=form)
    assert answer.status_code == 422
    assert len(complaints(answer.text)) == 1
    assert "没有改动过" in answer.text


@pytest.mark.slow
def test_the_second_of_two_reviewers_gets_a_version_conflict_and_keeps_the_typed_values(client_as: ClientAs) -> None:
    first, second = client_as("reviewer"), client_as("reviewer")
    seen = form_of(second.get("/province/").text, "card-box")
    first.post("/province/", data=form_of(first.get("/province/").text, "card-box") | {"decide_days": "12"})
    answer = second.post("/province/", data=seen | {"decide_days": "15"})
    assert answer.status_code == 422
    assert "已被他人修改" in flashed(answer.text)[0]
    assert form_of(answer.text, "card-box")["decide_days"] == "15"
    assert second.post("/province/", data=form_of(answer.text, "card-box")).status_code == 302
