"""有效期（天） of 本省设置: what a province's certificates hold, else what the system is set to, else no end."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from models import clock
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import complaints, flashed, form_of

NONE = "（无）"


def set_days(browser: Browser, typed: str) -> Any:
    form = form_of(browser.get("/province/").text, "card-box") | {"valid_days": typed}
    return browser.post("/province/", data=form, follow_redirects=True)


@pytest.mark.slow
@pytest.mark.parametrize("system", [None, "365"])
def test_a_certificate_holds_the_days_of_its_province_else_those_of_the_system(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    monkeypatch: pytest.MonkeyPatch,
    system: str | None,
) -> None:
    """Preview and certificate agree; one that is issued already keeps its end."""
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)  # no midnight passes meanwhile
    app.config["VALID_DAYS"] = system
    reviewer, standard = client_as("reviewer"), clock.today() + timedelta(days=365) if system else None
    ends: dict[int, date | None] = {}
    for typed, end in (("", standard), ("30", clock.today() + timedelta(days=30)), ("", standard)):
        set_days(reviewer, typed)
        key = make_application(status="pending")
        preview = reviewer.get(f"/review/preview/?id={key}").text
        assert ("有效期至" in preview) is (end is not None)
        assert end is None or f"{end.year}年{end.month}月{end.day}日" in preview
        perform_step(app, Action.GRANT, key, "publisher")
        ends[key] = end
    assert {key: stored_rows(key)["certificate"][0]["valid_until"] for key in ends} == ends


@pytest.mark.slow
def test_each_change_is_recorded_for_that_province_alone(client_as: ClientAs) -> None:
    reviewer, other = client_as("reviewer"), client_as("reviewer2")
    for typed, change in (("30", f"{NONE} → 30"), ("60", "30 → 60"), ("", f"60 → {NONE}")):
        page = set_days(reviewer, typed).text
        assert flashed(page) == ["已保存。"]
        assert f"有效期（天）：{change}" in page
        assert form_of(page, "card-box")["valid_days"] == typed
    assert "有效期（天）：" not in other.get("/province/").text


@pytest.mark.parametrize("wrong", ["0", "-3", "36501", "三十", "1.5", "9" * 400])
def test_a_wrong_number_is_refused_beside_its_field_and_changes_nothing(client_as: ClientAs, wrong: str) -> None:
    reviewer = client_as("reviewer")
    set_days(reviewer, "30")
    answer = set_days(reviewer, wrong)
    assert answer.status_code == 422
    assert len(complaints(answer.text)) == 1
    assert re.sub("<[^>]*>", "", answer.text).count("请填写 1 至 36500 的整数") == 2  # above the form, too
    assert form_of(reviewer.get("/province/").text, "card-box")["valid_days"] == "30"


@pytest.mark.parametrize(("who", "status"), [("publisher", 403), ("agent", 403), ("national", 403), ("operator", 403)])
def test_nobody_else_may_set_it(client_as: ClientAs, who: str, status: int) -> None:
    form = form_of(client_as("reviewer").get("/province/").text, "card-box") | {"valid_days": "30"}
    assert client_as(who).post("/province/", data=form).status_code == status
    assert form_of(client_as("reviewer").get("/province/").text, "card-box")["valid_days"] == ""
