"""延期: once, with a reason; and the suspension of a deadline."""

import re

import pytest
from flask import Flask

from models.vocabulary import Action
from tests.browsing import ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.dates import SetDay
from tests.views.pages import flashed


@pytest.mark.slow
def test_an_extension_is_possible_once_with_a_reason_and_moves_the_due_date(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    set_day: SetDay,
) -> None:
    """+10 working days (行政许可法 第四十二条, by analogy): 30 March becomes 14 April, 清明 left out."""
    set_day(3, 2)
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    unsaid = reviewer.post("/review/extend/", data={"id": key, "opinion": " "})
    assert (unsaid.status_code, "延期须填写意见" in unsaid.text) == (409, True)
    answer = reviewer.post("/review/extend/", data={"id": key, "opinion": "须征求专家意见。"}, follow_redirects=True)
    assert "已延期" in answer.text
    (row,) = stored_rows(key)["application"]
    assert (str(row["due_on"]), row["status"]) == ("2026-04-14", "pending")
    again = reviewer.post("/review/extend/", data={"id": key, "opinion": "再延。"})
    assert (again.status_code, "已经延期过一次，不能再次延期" in again.text) == (409, True)
    page = client_as("publisher").get(f"/applications/details/?id={key}").text
    assert "须征求专家意见。" in page
    assert "（已延期 10 个工作日）" in page
    assert "已经延期过一次" in reviewer.get(f"/review/details/?id={key}").text


@pytest.mark.slow
def test_pending_cases_are_listed_by_due_date(
    client_as: ClientAs, make_application: MakeApplication, set_day: SetDay
) -> None:
    """As 操作说明 says and the desk lists them: one that was extended goes behind one that was submitted later."""
    set_day(3, 2)
    first = make_application(status="pending")
    set_day(3, 3)
    second, reviewer = make_application(status="pending"), client_as("reviewer")
    ids = re.compile(r'href="/review/details/[^"]*\bid=(\d+)[^>]*>SQ')
    assert ids.findall(reviewer.get("/review/").text) == [str(first), str(second)]
    reviewer.post("/review/extend/", data={"id": first, "opinion": "须征求专家意见。"})
    assert ids.findall(reviewer.get("/review/").text) == [str(second), str(first)]
    page = reviewer.get(f"/review/details/?id={second}&url=/review/").text
    assert re.findall(r'id=(\d+)[^"]*">(上一件|下一件)<', page) == [(str(first), "下一件")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("month", "day", "found"),
    [
        (3, 9, "已停止：已用 5 个工作日，还剩 15 个，重新申报后继续计算。"),
        (4, 2, "已停止：已用 23 个工作日，已超期 3 个，重新申报后继续计算。"),
    ],
)
def test_a_returned_application_shows_that_its_time_limit_is_suspended(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, set_day: SetDay,
    month: int, day: int, found: str,
) -> None:  # fmt: skip
    """Also one that was returned after its deadline."""
    set_day(3, 2)
    key = make_application(status="pending")
    set_day(month, day)
    perform_step(app, Action.RETURN, key, "publisher")
    assert found in client_as("publisher").get(f"/applications/edit/?id={key}").text
    assert found in client_as("reviewer").get(f"/filings/details/?id={key}").text
    assert flashed(client_as("publisher").get("/desk/").text) == []
