"""工作台: the pending work of each role, every figure with its list, and only one's own rows."""

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from markupsafe import Markup
from sqlalchemy import event

from models.database import db
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.dates import SetDay
from tests.views.pages import numbers

FIGURE = re.compile(r'<li><a href="([^"]*)"[^>]*><b>([^<]*)</b> <span>(.*?)</span></a></li>')


def figures(browser: Browser) -> dict[str, tuple[str, str]]:
    """Label → (number shown, address)."""
    found = FIGURE.findall(browser.get("/desk/").text)
    return {label: (number, html.unescape(address)) for address, number, label in found}


def parts(page: str) -> dict[str, list[str]]:
    """Heading → the numbers of the applications under it."""
    found = re.findall(r'<h2 id="part-\d+">([^<]*?)(?: <a.*?)?</h2>(.*?)</section>', page, re.DOTALL)
    return {heading.strip(): re.findall(r'class="number" href="[^"]*">(SQ\d+)<', body) for heading, body in found}


def number_of(stored_rows: StoredRows, key: int) -> str:
    return str(stored_rows(key)["application"][0]["number"])


@pytest.mark.parametrize("username", ["publisher", "reviewer", "national", "operator"])
def test_every_role_lands_on_the_desk(client_as: ClientAs, username: str) -> None:
    browser = client_as(username)
    opened = browser.get("/", follow_redirects=True)
    assert (opened.status_code, opened.request.path) == (200, "/desk/")


@pytest.mark.slow
def test_an_empty_desk_says_how_to_begin(client_as: ClientAs, make_application: MakeApplication) -> None:
    page = client_as("publisher").get("/desk/").text
    assert "从这里开始" in page
    assert 'href="/applications/new/"' in page
    make_application(by="publisher2")
    assert "从这里开始" in client_as("publisher").get("/desk/").text
    assert "从这里开始" not in client_as("publisher2").get("/desk/").text


@pytest.mark.slow
def test_a_publisher_sees_its_own_tasks_and_its_waiting_applications(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, set_day: SetDay
) -> None:
    """The opinion in view, the day by which to expect the decision, drafts that grow old, certificates to print."""
    set_day(1, 5)
    old = number_of(stored_rows, make_application())
    set_day(3, 2)
    draft, returned = (number_of(stored_rows, make_application(status=status)) for status in ("draft", "returned"))
    waits, filed = (number_of(stored_rows, make_application(status=status)) for status in ("pending", "filed"))
    make_application(by="publisher2", status="pending")
    page = client_as("publisher").get("/desk/").text
    assert parts(page) == {
        "退回，等您补正": [returned],
        "久未改动的暂存": [old],
        "暂存，尚未申报": [draft],
        "待审核": [waits],
        "已签发，可以打印": [filed],
    }
    assert "<blockquote>材料需要核对。</blockquote>" in page
    assert "预计 2026-03-30 前办结" in Markup(page).striptags()
    assert "还剩 20 个工作日" in page
    assert "已有 56 天没有改动" in page
    assert "尚未打印" in page


@pytest.mark.slow
def test_every_figure_of_a_publisher_links_to_a_list_of_that_length(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    for status in ("draft", "draft", "pending", "returned", "filed", "customs_received"):
        make_application(status=status)
    browser = client_as("publisher")
    found = figures(browser)
    assert {label: number for label, (number, _address) in found.items()} == {
        "退回": "1", "暂存": "2", "待审核": "1", "可以打印 · 海关接收成功": "1", "可以打印 · 已备案": "1",
    }  # fmt: skip
    for number, address in found.values():
        assert len(numbers(browser.get(address).text)) == int(number), address


@pytest.mark.slow
def test_a_province_sees_the_most_urgent_cases_first_and_every_figure_links_to_its_list(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    set_day: SetDay,
) -> None:
    """On 31 March: one is a day late, one due today, one in two days, one came back, one was decided today."""
    keys = {}
    for name, day in (("late", 2), ("today", 3), ("soon", 5), ("again", 9)):
        set_day(3, day)
        keys[name] = make_application(status="pending")
    set_day(3, 30)
    perform_step(app, Action.RETURN, keys["again"], "publisher")
    set_day(3, 31)
    perform_step(app, Action.SUBMIT, keys["again"], "publisher")
    decided = [make_application(status=status) for status in ("filed", "refused", "customs_failed")]
    make_application(status="returned")
    make_application(status="draft")
    reviewer = client_as("reviewer")
    found = figures(reviewer)
    assert {label: number for label, (number, _address) in found.items()} == {
        "待审核": "4", "已超期": "1", "今天到期": "1", "3 个工作日内到期": "1", "退回后重新申报": "1",
        "退回，等待补正": "1", "海关接收失败": "1", "已搁置的报文": "0", "久未回执的报文": "0",
        "今天办结": str(len(decided)),
    }  # fmt: skip
    for label, (number, address) in found.items():
        if "报文" not in label:
            assert len(numbers(reviewer.get(address).text)) == int(number), label
    page = reviewer.get("/desk/").text
    order = [number_of(stored_rows, keys[name]) for name in ("late", "today", "soon", "again")]
    assert parts(page)["先办"] == order
    assert parts(page)["退回后重新申报"] == order[-1:]
    assert [word in page for word in ("已超期 1 个工作日", "今天到期", "还剩 2 个工作日")] == [True] * 3
    assert [f"已等候 {days} 天" in page for days in (29, 28, 26)] == [True] * 3
    assert '待审核 <span class="count">4</span>' in page
    assert figures(client_as("reviewer2"))["待审核"][0] == "0"


@pytest.mark.slow
def test_the_review_list_is_sorted_and_filtered_by_deadline(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, set_day: SetDay
) -> None:
    keys = []
    for day in (9, 2, 5):
        set_day(3, day)
        keys.append(number_of(stored_rows, make_application(status="pending")))
    set_day(3, 30)
    reviewer = client_as("reviewer")
    place = re.findall(r'href="/review/\?sort=(\d+)[^"]*"[^>]*>\s*办结期限', reviewer.get("/review/").text)
    assert numbers(reviewer.get(f"/review/?sort={place[0]}").text) == [keys[1], keys[2], keys[0]]
    assert numbers(reviewer.get("/review/?due=today").text) == [keys[1]]
    assert numbers(reviewer.get("/review/?due=soon").text) == [keys[2]]
    assert numbers(reviewer.get("/review/?due=later").text) == [keys[0]]
    assert numbers(reviewer.get("/review/?due=nonsense").text) == []


@pytest.mark.slow
def test_the_nation_sees_certificates_issued_this_month_by_province(
    client_as: ClientAs,
    make_application: MakeApplication,
    make_publisher: Callable[..., str],
    set_day: SetDay,
) -> None:
    set_day(2, 27)
    make_application(status="filed")
    set_day(3, 2)
    for status in ("filed", "revoked", "pending"):
        make_application(status=status)
    make_application(by=make_publisher("440000"), status="filed")
    national = client_as("national")
    ((number, address),) = figures(national).values()
    assert number == "3"
    assert len(numbers(national.get(address).text)) == 3
    lines = re.findall(r'class="number" href="([^"]*)">([^<]*)</a>\s*<strong>([^<]*)<', national.get("/desk/").text)
    assert [(name, count) for _address, name, count in lines] == [("江苏省", "2 份"), ("广东省", "1 份")]
    for address, _name, count in lines:
        assert len(numbers(national.get(html.unescape(address)).text)) == int(count.split()[0])


@pytest.mark.slow
def test_the_operator_sees_the_system_and_the_calendar_and_no_application(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, set_day: SetDay
) -> None:
    set_day(12, 21)
    number = number_of(stored_rows, make_application(status="filed"))
    make_application(status="pending")
    page = client_as("operator").get("/desk/").text
    assert '工作日历只登记到 <span class="date">2026-12-31</span>' in page
    assert "有 1 份申请的办结期限在此之后" in page
    assert number not in page
    assert "待发送" in page


@pytest.mark.slow
def test_the_desk_of_the_operator_has_an_alert_for_each_line_that_needs_something_done(
    app: Flask, client_as: ClientAs, set_day: SetDay
) -> None:
    set_day(12, 21)
    operator = client_as("operator")
    app.config["STORE"] = "/proc/nowhere"
    desk, condition = operator.get("/desk/").text, operator.get("/condition/").text
    (count,) = re.findall(r"有 (\d+) 项需要处理", condition)
    assert desk.count("alert-danger") == int(count) == 2
    assert "附件存储：附件存储不可用" in desk
    assert "系统运行正常" not in desk


@pytest.mark.slow
def test_an_estimated_due_date_is_marked_as_an_estimate(
    client_as: ClientAs, make_application: MakeApplication, set_day: SetDay
) -> None:
    set_day(12, 21)
    make_application(status="pending")
    for username, address in (("reviewer", "/review/"), ("reviewer", "/desk/"), ("publisher", "/desk/")):
        page = client_as(username).get(address).text
        assert "暂估" in page
        assert "2027 年的放假安排尚未登记" in page
    assert "超出已登记的工作日历" in client_as("reviewer").get("/desk/").text


@pytest.mark.slow
def test_a_desk_takes_a_bounded_number_of_statements(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Not one more for each row beyond those that it shows."""
    reviewer, statements = client_as("reviewer"), []
    for _time in range(2):
        make_application(status="pending")
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for _time in range(2):
        statements.clear()
        reviewer.get("/desk/")
        counts.append(len(statements))
        make_application(status="pending")
        make_application(status="pending")
    assert counts[0] == counts[1]


def test_the_desk_of_an_entrusted_unit_names_the_publisher_of_each_row(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """A publisher's own desk does not: it is always the same."""
    for who, names in (("agent", 2), ("publisher", 0)):
        for status in ("draft", "returned"):
            make_application(by=who, status=status)
        assert client_as(who).get("/desk/").text.count("<small>江苏文艺音像出版社 · ") == names
