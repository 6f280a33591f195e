"""准予备案 and 退回 of many ticked rows: each by itself, with a message for each."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import form_of
from views.screens.together import Outcome, TogetherScreen

ONE = TogetherScreen.attempt_one


def ticked(browser: Browser, *keys: int) -> dict[str, object]:
    """The form of the list with these rows ticked, as it was opened."""
    return form_of(browser.get("/review/").text, "act") | versions(browser) | {"pick": list(keys)}


def versions(browser: Browser) -> dict[str, str]:
    page = browser.get("/review/").text
    return dict(re.findall(r'form="act" name="(version-\d+)" value="(\d+)"', page))


def outcomes(page: str) -> list[tuple[str, str]]:
    """(result, explanation) of each row."""
    (table,) = re.findall(r'<table class="table cards outcomes">(.*?)</table>', page, re.DOTALL)
    rows = re.findall(r'<span class="badge[^>]*>(.*?)</span></td>\s*<td[^>]*>(.*?)</td>', table, re.DOTALL)
    return [(result, words.strip()) for result, words in rows]


def status_of(record: dict[str, list[dict[str, object]]]) -> str:
    return str(record["application"][0]["status"])


@pytest.mark.slow
def test_a_batch_grant_gives_each_application_its_own_number(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    keys, reviewer = [make_application(status="pending") for _n in range(3)], client_as("reviewer")
    answer = reviewer.post("/review/together/grant/", data=ticked(reviewer, *keys[:2]))
    results = outcomes(answer.text)
    assert [result for result, _words in results] == ["已准予备案"] * 2
    assert len({words for _result, words in results if words.startswith("证明编号 Z")}) == 2
    assert [status_of(stored_rows(key)) for key in keys] == ["filed", "filed", "pending"]
    assert [len(stored_rows(key)["customs_message"]) for key in keys] == [1, 1, 0]


def test_a_batch_return_records_one_opinion_for_all(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    keys, reviewer = [make_application(status="pending") for _n in range(2)], client_as("reviewer")
    form = ticked(reviewer, *keys) | {"opinion": "请补充加工合同。"}
    assert [result for result, _words in outcomes(reviewer.post("/review/together/return/", data=form).text)] == [
        "已退回",
        "已退回",
    ]
    for key in keys:
        last = stored_rows(key)["trail_entry"][-1]
        assert (status_of(stored_rows(key)), last["opinion"]) == ("returned", "请补充加工合同。")


@pytest.mark.slow
def test_a_refused_row_of_a_batch_is_reported_and_stops_no_other(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Decided meanwhile; changed meanwhile; seen by no version."""
    titles = ("昆曲", "评弹", "越剧", "锡剧")
    keys = [make_application(status="pending", title=title) for title in titles]
    reviewer = client_as("reviewer")
    form = ticked(reviewer, *keys)
    perform_step(app, Action.DECLINE, keys[0], "publisher")
    perform_step(app, Action.RETURN, keys[1], "publisher")
    perform_step(app, Action.SUBMIT, keys[1], "publisher")
    del form[f"version-{keys[2]}"]
    results = outcomes(reviewer.post("/review/together/grant/", data=form).text)
    assert [result for result, _words in results] == ["没有办理", "没有办理", "没有办理", "已准予备案"]
    assert "不予受理" in results[0][1]
    assert "申报" in results[1][1]
    assert [status_of(stored_rows(key)) for key in keys] == ["not_accepted", "pending", "pending", "filed"]


@pytest.mark.slow
def test_a_case_withdrawn_while_others_of_its_batch_are_decided_stops_none_of_them(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """撤回 hides the second from the province after the first was granted."""
    keys, reviewer, attempt = [make_application(status="pending") for _n in range(3)], client_as("reviewer"), ONE

    def withdrawn_first(screen: TogetherScreen, action: Action, key: int, *rest: str) -> Outcome:
        if key == keys[1]:
            perform_step(app, Action.WITHDRAW, key, "publisher")
        return attempt(screen, action, key, *rest)

    monkeypatch.setattr(TogetherScreen, "attempt_one", withdrawn_first)
    page = reviewer.post("/review/together/grant/", data=ticked(reviewer, *keys)).text
    assert outcomes(page)[1] == ("没有办理", "这份申请已被他人办理，请返回列表查看。")
    assert [status_of(stored_rows(key)) for key in keys] == ["filed", "draft", "filed"]


@pytest.mark.slow
def test_a_batch_with_a_foreign_row_changes_nothing(
    client_as: ClientAs, make_publisher: Callable[..., str], make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    strange = make_application(by=make_publisher("440000"), status="pending")
    own, reviewer = make_application(status="pending"), client_as("reviewer")
    for keys in ([own, strange], [own, 99999], [own, "abc"]):
        form = ticked(reviewer) | {"pick": keys, f"version-{strange}": "2"}
        assert reviewer.post("/review/together/grant/", data=form).status_code == 404
    assert [status_of(stored_rows(key)) for key in (own, strange)] == ["pending", "pending"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opinion", "sentence"), [("", "须填写意见"), (" \n", "须填写意见"), ("长" * 2001, "不能超过 2000 字")]
)
def test_a_batch_return_with_an_invalid_opinion_changes_nothing(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, opinion: str, sentence: str
) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    answer = reviewer.post("/review/together/return/", data=ticked(reviewer, key) | {"opinion": opinion})
    assert (answer.status_code, sentence in answer.text) == (409, True)
    assert status_of(stored_rows(key)) == "pending"


def test_a_batch_without_rows_or_with_too_many_is_refused(client_as: ClientAs) -> None:
    reviewer = client_as("reviewer")
    for keys, sentence in (([], "请先勾选要准予备案的记录"), (list(range(1, 102)), "一次最多准予备案 100 份")):
        answer = reviewer.post("/review/together/grant/", data={"pick": keys})
        assert (answer.status_code, sentence in answer.text) == (409, True)


def test_other_acts_are_not_batch_acts(client_as: ClientAs, make_application: MakeApplication) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    for act in ("decline", "refuse", "extend", "revoke", "print"):
        assert reviewer.post(f"/review/together/{act}/", data={"pick": key, "opinion": "理由"}).status_code == 404
    assert reviewer.post("/filings/together/grant/", data={"pick": key}).status_code == 404
