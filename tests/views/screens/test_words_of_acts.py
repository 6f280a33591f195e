"""The texts of acts, their places, and the labels of buttons."""

import re

import pytest

from models.vocabulary import Action, Role, Status
from models.workflow import refusal
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.models.matrix import CELLS, LETTERS
from tests.views.screens.acts_done import SCREENS, act, sees


@pytest.mark.slow
def test_legal_grounds_count_as_an_opinion_and_are_recorded(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """出版管理条例 第二十五条: the chosen grounds, in words, before the reviewer's own."""
    key = make_application(status="pending")
    browser = client_as("reviewer")
    unsaid = act(browser, "review", "refuse", key, opinion="", ground=["99", ""])
    assert (unsaid.status_code, "不予备案须填写意见，请写明理由后再提交。" in unsaid.text) == (409, True)
    long = act(browser, "review", "refuse", key, opinion="长" * 2001, ground=["4"])
    assert "意见不能超过 2000 字" in long.text
    assert "长" * 2001 in long.text  # nothing that was written is lost
    assert act(browser, "review", "return", key, opinion="", ground=["4"]).status_code == 409  # no ground for that
    words = "第三首\0歌词有误。\r\n请核对。" + "长" * 1980
    act(browser, "review", "refuse", key, opinion=words, ground=["4", "9", "4"])
    assert stored_rows(key)["trail_entry"][-1]["opinion"] == (
        "依据《出版管理条例》第二十五条：煽动民族仇恨、民族歧视；危害社会公德或者民族优秀文化传统。\n第三首歌词有误。\n请核对。"
        + "长" * 1980
    )


@pytest.mark.slow
def test_an_act_without_an_opinion_field_records_no_opinion(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Otherwise a forged ground or opinion with 申报 or 接办 would be in the history."""
    key = make_application()
    for who, screen, action in (("publisher", "applications", "submit"), ("reviewer", "review", "take")):
        assert act(client_as(who), screen, action, key, ground=["1"]).status_code == 303
    assert [entry["opinion"] for entry in stored_rows(key)["trail_entry"][-2:]] == [None, None]


@pytest.mark.slow
def test_the_reason_of_a_return_is_shown_until_resubmission_and_then_in_the_history(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """AD7, ST6: return → declare → return → declare, and each reason is live only while it is open."""
    key, publisher, reviewer = make_application(status="pending"), client_as("publisher"), client_as("reviewer")
    for reason in ("缺少授权书。", "合同号有误。"):
        act(reviewer, "review", "return", key, opinion=reason)
        live = publisher.get(f"/applications/edit/?id={key}").text
        assert f"<p>{reason}</p>" in live
        act(publisher, "applications", "submit", key, opinion="")
        page = publisher.get(f"/applications/details/?id={key}").text
        assert 'class="alert alert-warning opinion"' not in page
        assert f"<blockquote>{reason}</blockquote>" in page


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_a_button_of_a_refused_act_is_dimmed_and_says_why(
    client_as: ClientAs, make_application: MakeApplication, status: Status
) -> None:
    """AC6: in the list and on the page, each button is lit exactly where the table allows the act."""
    key = make_application(status=status)
    for role, screens in SCREENS.items():
        if not sees(role, status):
            continue
        browser = client_as(role)
        page = browser.get(f"/{screens[-1]}/").text + browser.get(f"/{screens[-1]}/details/?id={key}").text
        buttons = re.findall(r'<button type="submit" form="act"[^>]*data-act="(\w+)"[^>]*>', page)
        assert buttons
        for button in re.finditer(r'<button type="submit" form="act"[^>]*data-act="(\w+)"[^>]*>', page):
            dim = re.search(r'aria-disabled="true" title="([^"]+)"', button.group())
            allowed = LETTERS[role] in CELLS[status, button[1]]
            assert (dim is None) is allowed, (role, button[1])
            assert allowed or (dim and dim[1] == refusal(Action(button[1]), status, Role(role)))


def test_confirmation_questions_have_no_blanks_between_chinese_words(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """With a number where there is one; names of units take no blanks, either."""
    key = make_application()
    publisher = client_as("publisher")
    assert 'data-ask="确定要申报本申请吗？' in publisher.get("/applications/new/").text
    assert re.search(r'data-ask="确定要申报 SQ\d+ 吗？', publisher.get(f"/applications/edit/?id={key}").text)
    assert not re.search(r'data-ask="[^"]*[一-龥] [一-龥]', publisher.get("/entrusting/").text)
