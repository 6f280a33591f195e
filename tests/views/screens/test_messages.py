"""消息: the bell, the list, the target of a message, and the preference for e-mails."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import event, select

from models import access
from models.database import db
from models.notifications import Notification
from models.vocabulary import Role
from tests.apps import engine_of_owner
from tests.browsing import Browser, ClientAs
from tests.cast import account_of, announced
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.customs_server import CustomsServer
from tests.views.faulty_customs import FaultInjection
from tests.views.pages import flashed, form_of
from tests.views.panel.test_plans import plan, statements

BELL = re.compile(r'<a class="bell" href="/messages/"[^>]*aria-label="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
ROW = re.compile(
    r'col-event"[^>]*><span[^>]*>([^<]*)</span></td>\s*<td class="col-sentence"[^>]*>(.*?)</td>', re.DOTALL
)
TITLE = "黑胶唱片《茉莉花》"


def bell(browser: Browser, page: str = "/desk/") -> str:
    """The accessible name of the bell."""
    ((label, _picture),) = BELL.findall(browser.get(page).text)
    return label


def listed(browser: Browser, asked: str = "") -> list[tuple[str, str]]:
    """(tag, text) of each message of the list, newest first; unread ones begin with 未读."""
    rows = ROW.findall(browser.get(f"/messages/{asked}").text)
    return [(tag, html.unescape(re.sub("<[^>]*>", "", text)).strip()) for tag, text in rows]


def link(browser: Browser, asked: str = "") -> str:
    """Where the newest message leads."""
    return html.unescape(
        re.findall(r'<td class="col-sentence".*?href="([^"]*)"', browser.get(f"/messages/{asked}").text)[0]
    )


@pytest.mark.slow
def test_the_bell_counts_unread_messages_and_the_list_shows_the_newest_first(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="customs_failed")
    publisher = client_as("publisher")
    assert bell(publisher) == "消息，2 条未读"
    (rejected, customs), (granted, grant) = listed(publisher)
    assert (rejected, granted) == ("海关接收失败回执", "准予备案")
    assert re.fullmatch(rf"未读 海关没有接收 SQ\d+ 的证明，请查看处理办法。 {TITLE}", customs)
    assert re.fullmatch(rf"未读 SQ\d+ 已准予备案，可以打印证明。 {TITLE}", grant)
    for stranger in ("publisher2", "agent", "reviewer2", "national", "operator"):
        assert bell(client_as(stranger)) == "消息"
        assert listed(client_as(stranger)) == []
        assert "暂无数据" in client_as(stranger).get("/messages/").text


@pytest.mark.parametrize(
    ("who", "status", "page"),
    [
        ("publisher", "returned", "/applications/details/"),
        ("reviewer", "pending", "/review/details/"),
        ("reviewer", "customs_failed", "/filings/details/"),
    ],
)
def test_opening_a_message_shows_the_application_and_marks_it_as_read(
    client_as: ClientAs, make_application: MakeApplication, who: str, status: str, page: str
) -> None:
    """And the way back leads to the messages."""
    make_application(status=status)
    browser = client_as(who)
    unread = int(re.findall(r"\d+", bell(browser))[0])
    where = link(browser)
    assert browser.head(where).status_code == 302
    assert bell(browser) == f"消息，{unread} 条未读"
    opened = browser.get(where, follow_redirects=True)
    assert (opened.status_code, opened.request.path) == (200, page)
    assert 'href="/messages/' in opened.text.split("</header>")[1]
    assert bell(browser) == (f"消息，{unread - 1} 条未读" if unread > 1 else "消息")
    assert listed(browser)[0][1].startswith(("SQ", "海关"))


def test_a_foreign_message_cannot_be_opened(app: Flask, client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application(status="returned")
    with app.app_context(), access.everything() as session:
        keys = session.scalars(select(Notification.id)).all()
    for key in (*keys, 99999, "", "一"):
        assert client_as("publisher2").get(f"/messages/details/?id={key}").status_code == 404
    with app.app_context(), access.everything() as session:
        assert session.scalars(select(Notification.read_at)).all() == [None] * len(keys)


@pytest.mark.slow
def test_marking_all_as_read_changes_only_own_messages(client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application(status="customs_failed")
    publisher, province = client_as("publisher"), client_as("reviewer")
    page = publisher.post("/messages/read-all/", follow_redirects=True).text
    assert flashed(page) == ["已将 2 条消息标为已读。"]
    assert "未读" not in "".join(text for _tag, text in listed(publisher))
    assert bell(publisher) == "消息"
    assert bell(province) == "消息，2 条未读"
    assert re.search(r'formaction="/messages/read-all/" disabled', publisher.get("/messages/").text)
    assert publisher.post("/messages/read-all/", csrf=False).status_code == 400


@pytest.mark.slow
def test_the_message_list_is_filtered_by_state_and_kind_and_has_pages(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="customs_received")
    announced(app)
    publisher = client_as("publisher")
    publisher.get(link(publisher))
    assert [tag for tag, _text in listed(publisher, "?state=read")] == ["通知公告"]
    assert [tag for tag, _text in listed(publisher, "?state=unread")] == ["海关接收成功回执", "准予备案"]
    assert [tag for tag, _text in listed(publisher, "?kind=announced")] == ["通知公告"]
    assert [tag for tag, _text in listed(publisher, "?kind=application")] == ["海关接收成功回执", "准予备案"]
    assert listed(publisher, "?kind=other") == []
    page = publisher.get("/messages/?page_size=10").text
    assert "共 3 条" in page


@pytest.mark.slow
def test_a_message_about_an_entrustment_opens_the_entrustment(app: Flask, client_as: ClientAs) -> None:
    operator = client_as("operator")
    form = form_of(operator.get("/entrustments/edit/?id=1").text, "card-box") | {"until": "2098-12-31"}
    assert operator.post("/entrustments/edit/?id=1", data=form).status_code == 302
    assert operator.post("/entrustments/edit/?id=1", data=form).status_code == 302
    sentence = "委托已变更：江苏文艺音像出版社委托南京光盘进出口有限公司，2020-01-01 至 2098-12-31。"
    for who in ("publisher", "agent"):
        browser = client_as(who)
        assert listed(browser) == [("委托变更", f"未读 {sentence}")]
        assert sentence in browser.get(link(browser)).text
        assert bell(browser) == "消息"
    assert listed(client_as("publisher2")) == []
    new = {"publisher": 2, "agent": 3, "since": "2026-01-01", "until": "2099-12-31"}
    assert operator.post("/entrustments/new/", data=new).status_code == 302
    assert listed(client_as("publisher2")) == [
        ("委托登记", "未读 已登记委托：江苏电子音像出版社委托南京光盘进出口有限公司，2026-01-01 至 长期。")
    ]


def test_changing_the_publisher_of_an_entrustment_notifies_of_its_end(client_as: ClientAs) -> None:
    operator = client_as("operator")
    form = form_of(operator.get("/entrustments/edit/?id=1").text, "card-box") | {"publisher": "2"}
    assert operator.post("/entrustments/edit/?id=1", data=form).status_code == 302
    assert [tag for tag, _text in listed(client_as("agent"))] == ["委托登记", "委托终止"]
    assert [tag for tag, _text in listed(client_as("publisher"))] == ["委托终止"]
    assert [tag for tag, _text in listed(client_as("publisher2"))] == ["委托登记"]


@pytest.mark.slow
def test_the_bell_takes_one_indexed_query_per_page(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """On either database, among messages of others, by the index of unread ones."""
    make_application(status="customs_failed")
    announced(app)
    for who in ("publisher", "reviewer", "operator"):
        browser = client_as(who)
        with statements(app) as asked:
            assert browser.get("/desk/").status_code == 200
        counting = [(sql, given) for sql, given in asked if "FROM notification" in sql]
        assert len(counting) == 1, who
        with app.app_context(), engine_of_owner(app).connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET enable_seqscan = off")  # which is quicker for a few rows
            found = plan(connection, *counting[0])
        assert re.search("ix_notification_(unread|account_id)", found), found  # of a few rows either is as quick
        assert not re.search(r"SCAN (notification|application)|Seq Scan on (notification|application)\b", found), found


@pytest.mark.slow
def test_notifying_takes_three_statements_per_act(app: Flask, make_application: MakeApplication) -> None:
    """Whom it concerns, the rows in one INSERT, and the letters in one, where there are any."""
    with app.app_context():
        with access.everything() as session:
            account_of("reviewer", session).email = "chen@example.cn"
            account_of("reviewer", session).mail_wish = "each"  # type: ignore[assignment]
            session.commit()
        engine = db.engine
    written: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        written.append(sql)

    event.listen(engine, "before_cursor_execute", note)
    try:
        make_application(status="pending")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    # PostgreSQL is asked for each key before its row (models/access/row_security.py says why).
    found = [sql for sql in written if re.search("notification|mail_letter", sql) and "nextval" not in sql]
    assert [re.findall(r"SELECT|INSERT INTO \w+", sql)[0] for sql in found] == [
        "SELECT", "INSERT INTO notification", "INSERT INTO mail_letter",
    ]  # fmt: skip


@pytest.mark.slow
def test_roles_without_application_messages_have_a_bell(app: Flask, client_as: ClientAs) -> None:
    announced(app, roles=frozenset({Role.NATIONAL}))
    assert bell(client_as("national"), "/register/") == "消息，1 条未读"
    assert bell(client_as("operator"), "/accounts/") == "消息"


@pytest.mark.slow
@pytest.mark.parametrize("customs_has_it", [True, False])
def test_a_revocation_rejected_by_customs_notifies_the_province(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    customs_server: CustomsServer,
    invoke: Invoke,
    customs_has_it: bool,
) -> None:
    """The status stays, so that no trail entry reports it; about a certificate that customs never accepted there is
    no message."""
    key = make_application(status="customs_received" if customs_has_it else "filed")
    customs_server.customs.faults = FaultInjection({"rejected": 1.0})
    invoke("customs", "deliver")
    form = {"id": key, "opinion": "内容有误。", "reason": "content"}
    assert client_as("reviewer").post("/filings/revoke/", data=form).status_code == 303
    invoke("customs", "deliver")
    newest = listed(client_as("reviewer"))[0]
    assert (newest[0] == "海关没有接收作废通知") is customs_has_it
    if customs_has_it:
        assert re.fullmatch(rf"未读 海关没有接收 SQ\d+ 的作废通知，请核实后重发。 {TITLE}", newest[1])
        assert listed(client_as("publisher"))[0][0] == "作废"


def test_the_message_list_says_that_no_mail_server_is_configured(app: Flask, client_as: ClientAs) -> None:
    app.config["SMTP"] = None
    page = client_as("publisher").get("/messages/").text
    assert ("没有开通邮件提醒，请在此查看消息。" in page, "邮件提醒</a>" in page) == (True, False)
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")
    page = client_as("publisher").get("/messages/").text
    assert ("没有开通邮件提醒" in page, "邮件提醒</a>" in page) == (False, True)
