"""操作日志 and 登录日志 have what operators announce, a province sets, and people change of their own notices."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.log import LogEntry
from models.people import mail_confirmation
from models.vocabulary import AttachmentKind
from tests.apps import engine_of_owner
from tests.browsing import ClientAs
from tests.cast import account_of, blank_form
from tests.views.pages import form_of
from tests.views.screens.read_logs import columns_of, lines
from tests.views.screens.test_announcements import GIVEN, TODAY, TOMORROW, edit
from tests.views.screens.test_feed import address
from tests.views.screens.test_stock_opinions import add, the_only_one
from views.translations import COOKIE

Row = tuple[str, str, str]


def logged(app: Flask) -> list[Row]:
    """(kind, about, words) of every entry, oldest first."""
    with app.app_context(), access.everything() as session:
        rows = session.execute(select(LogEntry.kind, LogEntry.about, LogEntry.words).order_by(LogEntry.id))
        return [tuple(row) for row in rows]


def test_an_announcement_is_logged_when_published_changed_and_withdrawn(client_as: ClientAs) -> None:
    """Of its text only that it has changed: the trail of the announcement has the words."""
    operator = client_as("operator")
    for _twice in range(2):  # the second post of the same form publishes nothing
        operator.post("/announcements/new/", data=GIVEN | {"page_key": "a" * 32})
    edit(operator, title="改期", text="下周六。")
    edit(operator, title="改期", text="下周六。")
    operator.post("/announcements/withdraw/", data={"id": 1})
    operator.post("/announcements/withdraw/", data={"id": 1})
    published = f"标题：（无） → 系统维护；内容；发给：（无） → 出版单位、国家查询；起始日期：（无） → {TODAY}；"
    assert columns_of(lines(operator, "operations"), "事项", "用户名", "地址", "对象", "说明") == [
        ("撤回通知公告", "operator", "127.0.0.1", "改期", ""),
        ("修改通知公告", "operator", "127.0.0.1", "改期", "标题：系统维护 → 改期；内容"),
        ("发布通知公告", "operator", "127.0.0.1", "系统维护", f"{published}终止日期：（无） → {TOMORROW}"),
    ]


def test_settings_of_a_province_are_logged_without_its_stock_opinions(
    app: Flask, client_as: ClientAs, act_as: object
) -> None:
    """Only the province reads its 常用意见, but operators read the log."""
    reviewer = client_as("reviewer")
    reviewer.set_cookie(COOKIE, "en")  # the log is in Chinese all the same
    form = form_of(reviewer.get("/province/").text, "card-box")
    reviewer.post("/province/", data=form | {"decide_days": "12", "valid_days": "30"})
    reviewer.post("/province/", data=form | {"decide_days": "15"})  # refused: the page is old
    add(reviewer, "材料不全。")
    found = the_only_one(act_as) | {"words": "材料不全。"}  # type: ignore[arg-type]
    reviewer.post("/province/opinions/change/", data=found)  # as it was
    reviewer.post("/province/opinions/change/", data=found | {"words": "请补正。"})
    assert logged(app) == [
        ("province_changed", "江苏省", "办结期限：20 → 12"),
        ("province_changed", "江苏省", "有效期（天）：（无） → 30"),
        ("province_changed", "江苏省", "常用意见（退回）"),
        ("province_changed", "江苏省", "常用意见（退回）"),
    ]
    assert columns_of(lines(client_as("operator"), "operations", "kind=province_changed"), "用户名") == [
        ("reviewer",)
    ] * 4  # fmt: skip


def test_changes_of_an_e_mail_address_are_logged_without_it(app: Flask, client_as: ClientAs) -> None:
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")
    publisher = client_as("publisher")
    wish = {"email": "wang@example.cn", "mail_wish": "each"}
    publisher.post("/messages/mail/", data=wish)
    publisher.post("/messages/mail/confirm/", data={"code": "wrong"})
    with app.app_context(), access.everything():
        code = mail_confirmation.code_of(account_of("publisher"), app.config["SECRET_KEY"])
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in code)  # as Chinese input methods write digits
    publisher.post("/messages/mail/confirm/", data={"code": full_width})
    publisher.post("/messages/mail/", data=wish)  # as it is
    publisher.post("/messages/mail/", data={"email": "", "mail_wish": "none"})
    assert logged(app) == [
        ("mail_changed", "", "每条消息"),
        ("mail_asked", "", ""),
        ("mail_unconfirmed", "", ""),
        ("mail_confirmed", "", ""),
        ("mail_changed", "", "不发邮件，移除邮箱"),
    ]
    assert "修改邮件提醒" in publisher.get("/visits/").text


def test_a_calendar_address_is_logged_and_its_reading_once_an_hour(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer, nobody = client_as("reviewer"), client_as(None)
    where = address(reviewer)
    for _time in range(3):
        assert nobody.get(where).status_code == 200
    later = clock.now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    reviewer = client_as("reviewer")
    nobody.get(where)
    reviewer.post("/messages/feed/stop/")
    reviewer.post("/messages/feed/stop/")
    assert nobody.get(where).status_code == 404
    assert [kind for kind, *_rest in logged(app)] == [
        "calendar_renewed", "calendar_read", "calendar_read", "calendar_stopped",
    ]  # fmt: skip


def test_a_calendar_is_sent_although_the_log_cannot_be_written(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("views.entrance.feed.SECONDS", 1)
    where = address(client_as("reviewer"))
    with app.app_context():
        connection = engine_of_owner(app).connect()
    locking = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "LOCK TABLE log_entry IN EXCLUSIVE MODE"}
    connection.exec_driver_sql(locking[connection.dialect.name])
    answer = client_as(None).get(where)
    connection.rollback()
    connection.close()
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert "calendar_read" not in str(logged(app))


def test_a_downloaded_blank_form_is_logged_for_applicant_and_operator(app: Flask, client_as: ClientAs) -> None:
    blank_form(app, AttachmentKind.CONTRACT, "合同样本.pdf")
    assert client_as("publisher").get("/applications/blank/?kind=contract").status_code == 200
    assert client_as("operator").get("/blanks/file/?kind=contract").status_code == 200
    assert client_as("operator").get("/blanks/file/?kind=other").status_code == 404
    rows = lines(client_as("operator"), "prints", "kind=blank_form")
    assert columns_of(rows, "事项", "用户名", "对象") == [
        ("下载空白表格", "operator", "境外加工合同"), ("下载空白表格", "publisher", "境外加工合同"),
    ]  # fmt: skip
