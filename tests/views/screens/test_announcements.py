"""通知公告: published, changed and withdrawn by operators, read by its roles on its days."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import clock
from models.database import db
from models.notifications.announcements import Announcement
from tests.browsing import Browser, ClientAs
from tests.conftest import ActAs
from tests.views.pages import complaints, flashed, form_of
from tests.views.screens.test_messages import bell, listed

TODAY, TOMORROW = str(clock.today()), str(clock.today() + timedelta(days=1))
GIVEN: dict[str, Any] = {
    "title": "系统维护", "text": "本周六停机。\n<b>请提前保存</b>。", "roles": ["publisher", "national"],
    "since": TODAY, "until": TOMORROW,
}  # fmt: skip


def edit(browser: Browser, **fields: Any) -> Any:
    """The answer to the form of the one announcement, with these fields changed."""
    form = form_of(browser.get("/announcements/edit/?id=1").text, "card-box") | GIVEN | fields
    return browser.post("/announcements/edit/?id=1", data=form)


def trail(page: str) -> list[str]:
    return re.findall(r"<strong>(.*?)</strong> <span>(.*?)</span>", page.split("变更记录")[1])


@pytest.mark.slow
def test_a_published_announcement_is_on_the_desk_and_in_the_messages_of_its_roles(client_as: ClientAs) -> None:
    operator = client_as("operator")
    page = operator.post("/announcements/new/", data=GIVEN, follow_redirects=True).text
    assert flashed(page) == ["已保存。显示期间，所选角色的账号会收到消息，并在工作台看到公告。"]
    assert "显示中" in page
    for who in ("publisher", "agent", "national"):
        browser = client_as(who)
        assert listed(browser) == [("通知公告", "未读 系统维护")]
        assert 'href="/messages/announcement/?id=1">系统维护</a>' in browser.get("/desk/").text
        assert bell(browser) == "消息，1 条未读"
        text = browser.get("/messages/announcement/?id=1").text
        assert "本周六停机。\n&lt;b&gt;请提前保存&lt;/b&gt;。" in text.replace("\r", "")
        assert bell(browser) == "消息"
    for who in ("reviewer", "operator"):
        assert "系统维护" not in client_as(who).get("/desk/").text
        assert listed(client_as(who)) == []
    assert client_as("reviewer").get("/messages/announcement/?id=1").status_code == 404


@pytest.mark.slow
def test_every_change_leaves_a_trail_and_reaches_new_readers(client_as: ClientAs) -> None:
    operator = client_as("operator")
    operator.post("/announcements/new/", data=GIVEN)
    assert edit(operator, title="系统维护改期", roles=["reviewer", "publisher"]).status_code == 302
    assert edit(operator, title="系统维护改期", roles=["reviewer", "publisher"]).status_code == 302
    page = operator.get("/announcements/edit/?id=1").text
    assert trail(page) == [
        ("修改：标题：系统维护 → 系统维护改期；发给：出版单位、国家查询 → 出版单位、省级审核", "孙维"),
        ("发布", "孙维"),
    ]
    assert listed(client_as("reviewer")) == [("通知公告", "未读 系统维护改期")]
    assert listed(client_as("publisher")) == [("通知公告", "未读 系统维护改期")]
    assert listed(client_as("national")) == []


@pytest.mark.slow
def test_a_withdrawn_announcement_is_hidden_and_stays_on_record(client_as: ClientAs) -> None:
    operator = client_as("operator")
    operator.post("/announcements/new/", data=GIVEN)
    page = operator.post("/announcements/withdraw/", data={"id": 1}, follow_redirects=True).text
    assert flashed(page)[-1] == "已撤回，不再显示。"
    assert "已撤回" in page
    publisher = client_as("publisher")
    assert (bell(publisher), listed(publisher)) == ("消息", [])
    assert "系统维护" not in publisher.get("/desk/").text
    assert publisher.get("/messages/announcement/?id=1").status_code == 404
    assert flashed(operator.post("/announcements/withdraw/", data={"id": 1}, follow_redirects=True).text) == [
        "这份公告已经撤回。"
    ]
    answer = edit(operator, title="又来")
    assert (answer.status_code, flashed(answer.text)[-1:]) == (422, ["已撤回的公告不能修改，需要时请另行新建。"])
    assert [what for what, _who in trail(operator.get("/announcements/edit/?id=1").text)] == ["撤回", "发布"]


def test_an_announcement_is_not_shown_before_its_first_day(client_as: ClientAs) -> None:
    operator = client_as("operator")
    page = operator.post("/announcements/new/", data=GIVEN | {"since": TOMORROW}, follow_redirects=True).text
    assert "未开始" in page
    publisher = client_as("publisher")
    assert (bell(publisher), listed(publisher)) == ("消息", [])
    assert "系统维护" not in publisher.get("/desk/").text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": ""}, "必填"),
        ({"text": " \u200b"}, "必填"),
        ({"title": "长" * 101}, "100"),
        ({"text": "长" * 4001}, "4000"),
        ({"roles": []}, "必填"),
        ({"roles": ["nobody"]}, "无效"),
        ({"until": "昨天"}, "日期"),
        ({"since": ""}, "必填"),
    ],
)
def test_an_invalid_announcement_has_errors_beside_its_fields(
    client_as: ClientAs, fields: dict[str, Any], sentence: str
) -> None:
    answer = client_as("operator").post("/announcements/new/", data=GIVEN | fields)
    assert answer.status_code == 422
    assert sentence in complaints(answer.text)[0]
    assert "暂无数据" in client_as("operator").get("/announcements/").text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"since": TOMORROW, "until": TODAY}, "终止日期不能早于起始日期。"),
        ({"since": "2026-01-01", "until": "2026-01-02"}, "终止日期已经过去，公告不会显示，请核对。"),
    ],
)
def test_an_announcement_with_past_or_reversed_days_is_refused(
    client_as: ClientAs, fields: dict[str, str], sentence: str
) -> None:
    answer = client_as("operator").post("/announcements/new/", data=GIVEN | fields)
    assert (answer.status_code, flashed(answer.text)) == (422, [sentence])
    assert "本周六停机。" in answer.text


def test_the_second_of_two_operators_gets_a_version_conflict(app: Flask, client_as: ClientAs, act_as: ActAs) -> None:
    operator = client_as("operator")
    operator.post("/announcements/new/", data=GIVEN)
    seen = form_of(operator.get("/announcements/edit/?id=1").text, "card-box")
    edit(operator, title="改期")
    answer = operator.post("/announcements/edit/?id=1", data=seen | GIVEN | {"title": "取消"})
    assert answer.status_code == 422
    assert "刚刚已被他人修改" in flashed(answer.text)[-1]
    assert 'value="取消"' in answer.text
    with act_as("operator"):
        assert db.session.scalars(select(Announcement.title)).one() == "改期"


def test_an_announcement_sent_twice_is_published_once(client_as: ClientAs, act_as: ActAs) -> None:
    """A double click, or a reload of the answer; another text from the same page is another announcement."""
    operator = client_as("operator")
    form = form_of(operator.get("/announcements/new/").text, "card-box") | GIVEN
    for title in ("系统维护", "系统维护", "另一件事", "系统维护"):
        assert operator.post("/announcements/new/", data=form | {"title": title}).status_code == 302
    operator.post("/announcements/new/", data=form_of(operator.get("/announcements/new/").text, "card-box") | GIVEN)
    with act_as("operator"):
        found = db.session.scalars(select(Announcement.title).order_by(Announcement.id)).all()
    assert found == ["系统维护", "另一件事", "系统维护"]
    assert len(listed(client_as("publisher"))) == 3
